/** Counterexamples as read-only documents beside the policy. */

import * as path from "node:path";
import * as vscode from "vscode";

const SCHEME = "interlock-counterexample";
const WIDTH = 62;

export class Counterexamples implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly texts = new Map<string, string>();
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  private readonly provider = vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);
  readonly onDidChange = this.changed.event;

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.texts.get(uri.path) ?? "";
  }

  /** Shows why a claim is refuted, as comments, and the test that pins it. */
  async show(claim: string, message: string, test: string): Promise<void> {
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${claim}.ilk` });
    const told = [claim, ...message.split("\n")].map((line) => `// ${withoutFolders(line)}`);
    const lines = [...told, "", ...test.trim().split("\n"), ""].flatMap(wrapped);
    this.texts.set(uri.path, lines.join("\n"));
    this.changed.fire(uri);
    const document = await vscode.workspace.openTextDocument(uri);
    await vscode.window.showTextDocument(document, {
      viewColumn: vscode.ViewColumn.Beside,
      preserveFocus: true,
      preview: true,
    });
  }

  dispose(): void {
    this.provider.dispose();
    this.changed.dispose();
  }
}

/** A line in which files of the workspace are named as the user names them. */
function withoutFolders(line: string): string {
  const folders = vscode.workspace.workspaceFolders ?? [];
  return folders.reduce((text, { uri }) => text.replaceAll(uri.fsPath + path.sep, ""), line);
}

/** A comment as several lines where it is wider than half a window; code stays as it is. */
function wrapped(line: string): string[] {
  const mark = /^\/\/\/? /.exec(line)?.[0];
  if (mark === undefined) {
    return [line];
  }
  const lines = [mark.trimEnd()];
  for (const word of line.slice(mark.length).split(" ")) {
    const longer = `${lines.at(-1)} ${word}`;
    if (longer.length <= WIDTH || lines.at(-1) === mark.trimEnd()) {
      lines[lines.length - 1] = longer;
    } else {
      lines.push(`${mark}  ${word}`);
    }
  }
  return lines.map((one) => one.trimEnd());
}
