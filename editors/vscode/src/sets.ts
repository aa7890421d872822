/** Which paths the command line is given for a policy: those that the settings name with it, or what uses each other. */

import * as path from "node:path";
import * as vscode from "vscode";
import { policySet } from "./declarations";
import { policyGroups } from "./settings";

const MAX_FILES = 2_000;
const SKIPPED = "**/{node_modules,__pycache__,build,dist,target}/**";

export async function pathsWith(file: vscode.Uri): Promise<string[]> {
  for (const group of policyGroups(file)) {
    if (group.some((item) => file.fsPath === item || file.fsPath.startsWith(item + path.sep))) {
      return group;
    }
  }
  const found = await vscode.workspace.findFiles("**/*.ilk", SKIPPED, MAX_FILES);
  const sources = new Map<string, string>();
  for (const uri of found) {
    sources.set(uri.fsPath, await textOf(uri));
  }
  sources.set(file.fsPath, await textOf(file));
  return policySet(file.fsPath, sources);
}

/** The text of a file, as it is open or else as it is on the disk. */
export async function textOf(file: vscode.Uri): Promise<string> {
  const open = vscode.workspace.textDocuments.find((document) => document.uri.fsPath === file.fsPath);
  return open?.getText() ?? new TextDecoder().decode(await vscode.workspace.fs.readFile(file));
}

/** The command line reads files from the disk, so what is open is saved first. */
export async function savePolicies(): Promise<void> {
  const unsaved = vscode.workspace.textDocuments.filter(
    (document) => document.languageId === "ilk" && document.isDirty && !document.isUntitled,
  );
  await Promise.all(unsaved.map((document) => document.save()));
}
