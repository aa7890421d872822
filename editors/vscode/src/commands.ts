/** The commands of the palette and the menus. */

import * as vscode from "vscode";
import { declarations } from "./declarations";
import type { LanguageServer } from "./server";
import { gate, runOn } from "./tasks";

export function registerCommands(server: LanguageServer, output: vscode.OutputChannel): vscode.Disposable[] {
  const register = vscode.commands.registerCommand;
  return [
    register("interlock.checkPolicies", () => withPolicy((file) => runOn("check", file))),
    register("interlock.testPolicies", () => withPolicy((file) => runOn("test", file))),
    register("interlock.provePolicies", () => withPolicy((file) => runOn("prove", file))),
    register("interlock.gateFile", (file?: vscode.Uri) => gateFile(file)),
    register("interlock.openCounterexample", () => openCounterexample(server)),
    register("interlock.restartServer", () => server.restart()),
    register("interlock.showOutput", () => output.show(true)),
  ];
}

async function withPolicy(act: (file: vscode.Uri) => Promise<void>): Promise<void> {
  const document = vscode.window.activeTextEditor?.document;
  if (document?.languageId === "ilk" && document.uri.scheme === "file") {
    await act(document.uri);
  } else {
    await vscode.window.showInformationMessage("Open a policy (.ilk) first.");
  }
}

async function gateFile(given?: vscode.Uri): Promise<void> {
  const open = vscode.window.activeTextEditor?.document;
  const file = given ?? open?.uri;
  if (file?.scheme !== "file") {
    await vscode.window.showInformationMessage("Open a file to gate first: a migration, a plan, a manifest.");
    return;
  }
  // The gate reads the file from the disk.
  const document = vscode.workspace.textDocuments.find((one) => one.uri.fsPath === file.fsPath);
  await document?.save();
  await gate(file);
}

/** Shows the counterexample of the claim at the cursor, or else lets the user choose among the refuted ones. */
async function openCounterexample(server: LanguageServer): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  if (editor?.document.languageId !== "ilk") {
    return;
  }
  const { document } = editor;
  const offset = document.offsetAt(editor.selection.active);
  const claims = declarations(document.getText()).filter(({ kind }) => kind === "prove");
  const refuted = new Set(
    vscode.languages
      .getDiagnostics(document.uri)
      .filter(({ code }) => code === "claim-refuted")
      .map(({ range }) => document.offsetAt(range.start)),
  );
  const here = claims.find(({ start, end }) => start <= offset && offset <= end);
  const others = claims.filter(({ nameStart }) => refuted.has(nameStart)).map(({ name }) => name);
  const claim =
    here?.name ??
    (others.length > 1
      ? await vscode.window.showQuickPick(others, { placeHolder: "The counterexample of which claim?" })
      : others[0]);
  if (claim !== undefined) {
    await server.showCounterexample(document.uri, claim);
  } else if (!others.length) {
    await vscode.window.showInformationMessage("No claim of this file is refuted.");
  }
}
