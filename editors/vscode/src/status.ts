/** The item in the status bar: whether the server runs, how many claims are being proved, how many are refuted. */

import * as vscode from "vscode";

export class StatusItem implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem(
    "interlock.status",
    vscode.StatusBarAlignment.Right,
    50,
  );
  private readonly changes: vscode.Disposable;
  /** The claims being proved in each document, by its URI. */
  private readonly proving = new Map<string, number>();
  private isRunning = false;

  constructor() {
    this.item.name = "Interlock";
    this.item.command = "interlock.showOutput";
    this.changes = vscode.languages.onDidChangeDiagnostics(() => this.show());
    this.starting();
    this.item.show();
  }

  starting(): void {
    this.isRunning = false;
    this.proving.clear();
    this.set("$(loading~spin) Interlock", "The language server is starting.");
  }

  running(): void {
    this.isRunning = true;
    this.show();
  }

  stopped(): void {
    this.isRunning = false;
    this.set("$(circle-slash) Interlock", "The language server is not running.");
  }

  failed(reason: string): void {
    this.isRunning = false;
    this.set("$(error) Interlock", reason, "statusBarItem.errorBackground");
  }

  untrusted(): void {
    this.set("$(workspace-untrusted) Interlock", "The language server waits until the workspace is trusted.");
  }

  /** How many claims of a document are being proved now. */
  provingIn(document: vscode.Uri, count: number): void {
    if (count) {
      this.proving.set(document.toString(), count);
    } else {
      this.proving.delete(document.toString());
    }
    this.show();
  }

  dispose(): void {
    this.changes.dispose();
    this.item.dispose();
  }

  private show(): void {
    if (!this.isRunning) {
      return;
    }
    const proving = [...this.proving.values()].reduce((sum, count) => sum + count, 0);
    const refuted = vscode.languages
      .getDiagnostics()
      .flatMap(([, found]) => found)
      .filter((one) => one.source === "interlock" && one.code === "claim-refuted").length;
    if (proving) {
      this.set(`$(sync~spin) Interlock: proving ${proving}`, `${claims(proving)} being proved.`);
    } else if (refuted) {
      this.set(`$(warning) Interlock: ${refuted} refuted`, `${claims(refuted)} refuted.`);
    } else {
      this.set("$(check) Interlock", "The language server is running.");
    }
  }

  private set(text: string, tooltip: string, background?: string): void {
    this.item.text = text;
    this.item.tooltip = tooltip;
    this.item.backgroundColor = background ? new vscode.ThemeColor(background) : undefined;
  }
}

function claims(count: number): string {
  return count === 1 ? "1 claim is" : `${count} claims are`;
}
