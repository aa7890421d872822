/** The test panel: the `test` and `prove` declarations of every policy, run through the command line. */

import * as vscode from "vscode";
import { type Finished, run } from "./command_line";
import { declarations, type Kind } from "./declarations";
import { type Reported, readClaims, readTests } from "./reports";
import { pathsWith, savePolicies, textOf } from "./sets";
import { setting } from "./settings";

/** Exit codes of `interlock` with which it prints a report. */
const REPORTED: Record<Kind, readonly number[]> = { test: [0, 1], prove: [0, 5, 6] };
const QUIET_MILLISECONDS = 300;

export function registerTests(): vscode.Disposable[] {
  const panel = new Panel();
  return [panel];
}

class Panel implements vscode.Disposable {
  private readonly controller = vscode.tests.createTestController("interlock", "Interlock");
  private readonly kinds = new WeakMap<vscode.TestItem, Kind>();
  private readonly waiting = new Map<string, NodeJS.Timeout>();
  private readonly disposables: vscode.Disposable[] = [this.controller];

  constructor() {
    this.controller.createRunProfile(
      "Run",
      vscode.TestRunProfileKind.Run,
      (request, cancel) => this.run(request, cancel),
      true,
    );
    this.controller.refreshHandler = () => this.findAll();
    const watcher = vscode.workspace.createFileSystemWatcher("**/*.ilk");
    this.disposables.push(
      watcher,
      watcher.onDidCreate((uri) => this.find(uri)),
      watcher.onDidChange((uri) => this.find(uri)),
      watcher.onDidDelete((uri) => this.controller.items.delete(uri.toString())),
      vscode.workspace.onDidOpenTextDocument((document) => this.opened(document)),
      vscode.workspace.onDidChangeTextDocument(({ document }) => this.edited(document)),
    );
    void this.findAll();
  }

  dispose(): void {
    this.waiting.forEach((timer) => clearTimeout(timer));
    vscode.Disposable.from(...this.disposables).dispose();
  }

  // What there is to run

  private async findAll(): Promise<void> {
    const found = await vscode.workspace.findFiles("**/*.ilk", "**/node_modules/**");
    await Promise.all(found.map((uri) => this.find(uri)));
  }

  private opened(document: vscode.TextDocument): void {
    if (document.languageId === "ilk" && document.uri.scheme === "file") {
      this.update(document.uri, document.getText());
    }
  }

  private edited(document: vscode.TextDocument): void {
    if (document.languageId !== "ilk" || document.uri.scheme !== "file") {
      return;
    }
    const key = document.uri.toString();
    clearTimeout(this.waiting.get(key));
    this.waiting.set(
      key,
      setTimeout(() => {
        this.waiting.delete(key);
        this.update(document.uri, document.getText());
      }, QUIET_MILLISECONDS),
    );
  }

  private async find(uri: vscode.Uri): Promise<void> {
    this.update(uri, await textOf(uri));
  }

  private update(uri: vscode.Uri, source: string): void {
    const found = declarations(source);
    if (!found.length) {
      this.controller.items.delete(uri.toString());
      return;
    }
    let file = this.controller.items.get(uri.toString());
    if (!file) {
      file = this.controller.createTestItem(uri.toString(), vscode.workspace.asRelativePath(uri), uri);
      this.controller.items.add(file);
    }
    const place = placer(source);
    const before = file.children;
    file.children.replace(
      found.map(({ kind, name, start, end }) => {
        const id = `${kind} ${name}`;
        const item = before.get(id) ?? this.controller.createTestItem(id, name, uri);
        item.description = kind;
        item.range = new vscode.Range(place(start), place(end));
        this.kinds.set(item, kind);
        return item;
      }),
    );
  }

  // Running

  private async run(request: vscode.TestRunRequest, cancel: vscode.CancellationToken): Promise<void> {
    await savePolicies();
    const run = this.controller.createTestRun(request);
    const chosen = this.chosen(request);
    chosen.forEach((item) => run.enqueued(item));
    const left = new Set(chosen);
    try {
      while (left.size && !cancel.isCancellationRequested) {
        const [first] = left;
        const paths = await pathsWith(first!.uri!);
        const together = [...left].filter(({ uri }) => uri!.fsPath === first!.uri!.fsPath || paths.includes(uri!.fsPath));
        together.forEach((item) => left.delete(item));
        for (const kind of ["test", "prove"] as const) {
          const items = together.filter((item) => this.kinds.get(item) === kind);
          if (items.length) {
            await this.runSet(run, kind, items, paths, cancel);
          }
        }
      }
    } finally {
      left.forEach((item) => run.skipped(item));
      run.end();
    }
  }

  private chosen(request: vscode.TestRunRequest): vscode.TestItem[] {
    const excluded = new Set(request.exclude ?? []);
    const roots = request.include ?? [...this.controller.items].map(([, item]) => item);
    const leaves = roots.flatMap((item) =>
      item.children.size && !excluded.has(item) ? [...item.children].map(([, child]) => child) : [item],
    );
    return [...new Set(leaves)].filter((item) => this.kinds.has(item) && !excluded.has(item));
  }

  private async runSet(
    run_: vscode.TestRun,
    kind: Kind,
    items: readonly vscode.TestItem[],
    paths: readonly string[],
    cancel: vscode.CancellationToken,
  ): Promise<void> {
    items.forEach((item) => run_.started(item));
    const near = items[0]!.uri!;
    const begun = Date.now();
    let reported: Reported[];
    try {
      const finished = await run(this.arguments(kind, items, paths), near, cancel);
      reported = read(kind, finished);
    } catch (problem) {
      const message = problem instanceof Error ? problem.message : String(problem);
      items.forEach((item) =>
        cancel.isCancellationRequested ? run_.skipped(item) : run_.errored(item, new vscode.TestMessage(message)),
      );
      return;
    }
    const took = (Date.now() - begun) / items.length;
    for (const item of items) {
      const found = reported.find(
        ({ name, file }) => name === item.label && samePath(file, item.uri!.fsPath),
      );
      show(run_, item, found, took);
    }
  }

  private arguments(kind: Kind, items: readonly vscode.TestItem[], paths: readonly string[]): string[] {
    if (kind === "test") {
      return ["test", "--format", "json", ...paths];
    }
    const timeout = String(setting<number>("proofSeconds", items[0]!.uri));
    const claims = items.flatMap(({ label }) => ["--claim", label]);
    return ["prove", "--format", "json", "--timeout", timeout, ...claims, ...paths];
  }
}

function read(kind: Kind, { code, out, error }: Finished): Reported[] {
  if (code === null || !REPORTED[kind].includes(code)) {
    throw new Error(error.trim() || `interlock ${kind} ended with ${code ?? "a signal"}`);
  }
  return kind === "test" ? readTests(out) : readClaims(out);
}

function show(run: vscode.TestRun, item: vscode.TestItem, found: Reported | undefined, took: number): void {
  if (!found) {
    run.errored(item, new vscode.TestMessage("the command line reports nothing of this name"));
    return;
  }
  const { outcome } = found;
  if (outcome.state === "passed") {
    run.appendOutput(`${item.label}: ${outcome.detail}\r\n`, undefined, item);
    run.passed(item, took);
    return;
  }
  const message = new vscode.TestMessage(outcome.message);
  if (item.uri && item.range) {
    message.location = new vscode.Location(item.uri, item.range.start);
  }
  run.appendOutput(`${item.label}: ${outcome.message.replaceAll("\n", "\r\n")}\r\n`, message.location, item);
  if (outcome.state === "failed") {
    run.failed(item, message, took);
  } else {
    run.errored(item, message, took);
  }
}

/** Offsets of a text as positions. */
function placer(source: string): (offset: number) => vscode.Position {
  const starts = [0];
  for (const match of source.matchAll(/\r\n|\r|\n/g)) {
    starts.push(match.index + match[0].length);
  }
  return (offset) => {
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (starts[middle]! <= offset) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return new vscode.Position(low, offset - starts[low]!);
  };
}

function samePath(one: string, other: string): boolean {
  return vscode.Uri.file(one).fsPath === vscode.Uri.file(other).fsPath;
}
