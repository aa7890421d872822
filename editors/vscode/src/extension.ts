/** The extension: wires the language server, the commands, the tasks and the test panel to VS Code. */

import * as vscode from "vscode";
import { registerCommands } from "./commands";
import { Counterexamples } from "./counterexamples";
import { LanguageServer } from "./server";
import { StatusItem } from "./status";
import { registerTasks } from "./tasks";
import { registerTests } from "./testing";

let server: LanguageServer | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const output = vscode.window.createOutputChannel("Interlock");
  const status = new StatusItem();
  const counterexamples = new Counterexamples();
  const running = new LanguageServer(output, status, counterexamples);
  server = running;
  context.subscriptions.push(output, status, counterexamples);
  // What runs the user's program waits until the workspace is trusted.
  if (vscode.workspace.isTrusted) {
    await start(context, running, output);
  } else {
    status.untrusted();
    context.subscriptions.push(
      vscode.workspace.onDidGrantWorkspaceTrust(() => start(context, running, output)),
    );
  }
}

export async function deactivate(): Promise<void> {
  await server?.stop();
}

async function start(
  context: vscode.ExtensionContext,
  running: LanguageServer,
  output: vscode.OutputChannel,
): Promise<void> {
  context.subscriptions.push(
    ...registerCommands(running, output),
    registerTasks(),
    ...registerTests(),
    vscode.workspace.onDidChangeConfiguration(async (event) => {
      if (event.affectsConfiguration("interlock.command")) {
        await running.restart();
      }
    }),
  );
  await running.start();
}
