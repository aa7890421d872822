/** The language server of one window: started, restarted and stopped, with its state in the status bar. */

import * as vscode from "vscode";
import {
  type ExecuteCommandSignature,
  LanguageClient,
  type LanguageClientOptions,
  type Message,
  type ProvideCodeLensesSignature,
  State,
} from "vscode-languageclient/node";
import type { Counterexamples } from "./counterexamples";
import { program } from "./settings";
import type { StatusItem } from "./status";

/** Commands of the server, which its code lenses carry. */
const PROVE = "interlock.prove";
const SHOW_COUNTEREXAMPLE = "interlock.showCounterexample";

export class LanguageServer {
  private client: LanguageClient | undefined;
  /** Whether a counterexample is on its way to a document of its own, so that no message shows it too. */
  private isShowing = false;

  constructor(
    private readonly output: vscode.OutputChannel,
    private readonly status: StatusItem,
    private readonly counterexamples: Counterexamples,
  ) {}

  async start(): Promise<void> {
    const { command, args, cwd } = program(["lsp"]);
    const client = new QuietClient(
      "interlock",
      "Interlock",
      { command, args: [...args], options: cwd === undefined ? {} : { cwd } },
      this.options(),
    );
    this.client = client;
    this.status.starting();
    client.onDidChangeState(({ newState }) => {
      if (this.client !== client) {
        return;
      }
      if (newState === State.Running) {
        this.status.running();
      } else if (newState === State.Stopped) {
        this.status.stopped();
      }
    });
    try {
      await client.start();
    } catch (problem) {
      await this.failed(`${[command, ...args].join(" ")} does not start: ${reason(problem)}`);
    }
  }

  async stop(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    // A client that is not running refuses to stop.
    if (client?.state === State.Running) {
      await client.stop();
    }
    await client?.dispose();
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Asks the server for the counterexample of a claim and shows it. */
  async showCounterexample(uri: vscode.Uri, claim: string): Promise<void> {
    if (this.client?.state !== State.Running) {
      await vscode.window.showWarningMessage("The language server of Interlock is not running.");
      return;
    }
    await vscode.commands.executeCommand(SHOW_COUNTEREXAMPLE, uri.toString(), claim);
  }

  private options(): LanguageClientOptions {
    return {
      documentSelector: [{ scheme: "file", language: "ilk" }],
      diagnosticCollectionName: "interlock",
      outputChannel: this.output,
      synchronize: { configurationSection: "interlock" },
      // The status item says that the server did not start.
      initializationFailedHandler: () => false,
      connectionOptions: {
        messageStrategy: {
          handleMessage: (message: Message, next: (message: Message) => void) => {
            const method = "method" in message ? message.method : undefined;
            if (!(this.isShowing && method === "window/showMessage")) {
              next(message);
            }
          },
        },
      },
      middleware: {
        executeCommand: (command, args, next) => this.execute(command, args, next),
        provideCodeLenses: (document, token, next) => this.lenses(document, token, next),
      },
    };
  }

  private async execute(command: string, args: unknown[], next: ExecuteCommandSignature): Promise<unknown> {
    if (command !== SHOW_COUNTEREXAMPLE) {
      return next(command, args);
    }
    this.isShowing = true;
    try {
      const found = (await next(command, args)) as { message: string; test?: string };
      if (found.test === undefined) {
        await vscode.window.showInformationMessage(`Interlock: ${found.message}`);
      } else {
        await this.counterexamples.show(String(args[1]), found.message, found.test);
      }
      return found;
    } finally {
      this.isShowing = false;
    }
  }

  private async lenses(
    document: vscode.TextDocument,
    token: vscode.CancellationToken,
    next: ProvideCodeLensesSignature,
  ): Promise<vscode.CodeLens[] | null | undefined> {
    const lenses = await next(document, token);
    const claims = (lenses ?? []).flatMap(({ command }) => (command?.command === PROVE ? [command.title] : []));
    this.status.unsettledIn(document.uri, {
      proving: claims.filter((title) => title.startsWith("proving")).length,
      stale: claims.filter((title) => title.startsWith("stale")).length,
    });
    return lenses;
  }

  private async failed(message: string): Promise<void> {
    this.output.appendLine(message);
    this.status.failed(message);
    const settings = "Open Settings";
    const chosen = await vscode.window.showErrorMessage(`Interlock: ${message}`, settings, "Show Output");
    if (chosen === settings) {
      await vscode.commands.executeCommand("workbench.action.openSettings", "interlock.command");
    } else if (chosen !== undefined) {
      this.output.show(true);
    }
  }
}

/** A client that logs what goes wrong; the status item and one message of ours show it. */
class QuietClient extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }
}

function reason(problem: unknown): string {
  return problem instanceof Error ? problem.message : String(problem);
}
