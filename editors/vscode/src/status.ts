/** The item in the status bar: whether the server runs, how many claims are being proved, are refuted or are stale. */

import * as vscode from "vscode";

/** How many claims of a document are on their way, and how many verdicts wait for the policies to compile. */
export interface Unsettled {
  readonly proving: number;
  readonly stale: number;
}

export class StatusItem implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem(
    "interlock.status",
    vscode.StatusBarAlignment.Right,
    50,
  );
  private readonly changes: readonly vscode.Disposable[];
  /** By the URI of the document. */
  private readonly unsettled = new Map<string, Unsettled>();
  private isRunning = false;

  constructor() {
    this.item.name = "Interlock";
    this.item.command = "interlock.showOutput";
    this.changes = [
      vscode.languages.onDidChangeDiagnostics(() => this.show()),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => this.unsettledIn(uri, { proving: 0, stale: 0 })),
    ];
    this.starting();
    this.item.show();
  }

  starting(): void {
    this.isRunning = false;
    this.unsettled.clear();
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

  unsettledIn(document: vscode.Uri, found: Unsettled): void {
    if (found.proving || found.stale) {
      this.unsettled.set(document.toString(), found);
    } else {
      this.unsettled.delete(document.toString());
    }
    this.show();
  }

  dispose(): void {
    vscode.Disposable.from(...this.changes, this.item).dispose();
  }

  private show(): void {
    if (!this.isRunning) {
      return;
    }
    const ours = vscode.languages
      .getDiagnostics()
      .flatMap(([, found]) => found)
      .filter(({ source }) => source === "interlock");
    const refuted = ours.filter(({ code }) => code === "claim-refuted").length;
    const errors = ours.filter(({ severity }) => severity === vscode.DiagnosticSeverity.Error).length - refuted;
    const proving = this.sum(({ proving }) => proving);
    const stale = this.sum(({ stale }) => stale);
    if (proving) {
      this.set(`$(sync~spin) Interlock: proving ${proving}`, `${claims(proving)} being proved.`);
    } else if (refuted) {
      this.set(`$(warning) Interlock: ${refuted} refuted`, `${claims(refuted)} refuted.`);
    } else if (stale) {
      this.set(`$(history) Interlock: ${stale} stale`, `${claims(stale)} proved again once the policies compile.`);
    } else if (errors) {
      this.set("$(error) Interlock", errors === 1 ? "The policies have 1 error." : `The policies have ${errors} errors.`);
    } else {
      this.set("$(check) Interlock", "The language server is running.");
    }
  }

  private sum(count: (found: Unsettled) => number): number {
    return [...this.unsettled.values()].reduce((total, found) => total + count(found), 0);
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
