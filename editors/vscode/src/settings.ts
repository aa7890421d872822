/** What the user set, and the program that the settings name. */

import * as path from "node:path";
import * as vscode from "vscode";

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string | undefined;
}

/** The program with the arguments that follow; a path with a slash counts from the workspace folder. */
export function program(args: readonly string[], near?: vscode.Uri): Program {
  const folder = folderOf(near);
  const configured = setting<string[]>("command", near).filter((word) => word !== "");
  const [command = "interlock", ...before] = configured;
  const isRelative = /[\\/]/.test(command) && !path.isAbsolute(command);
  return {
    command: isRelative && folder ? path.join(folder, command) : command,
    args: [...before, ...args],
    cwd: folder,
  };
}

export function setting<T>(name: string, near?: vscode.Uri): T {
  const value = vscode.workspace.getConfiguration("interlock", near).get<T>(name);
  if (value === undefined) {
    throw new Error(`package.json declares no setting interlock.${name}`);
  }
  return value;
}

export function folderOf(near?: vscode.Uri): string | undefined {
  const folder = near && vscode.workspace.getWorkspaceFolder(near);
  return (folder ?? vscode.workspace.workspaceFolders?.[0])?.uri.fsPath;
}

/** The lists of paths that the settings group, each made absolute. */
export function policyGroups(near?: vscode.Uri): string[][] {
  const value = setting<(string | string[])[]>("policies", near);
  const isFlat = value.every((item) => typeof item === "string");
  const groups = isFlat ? (value.length ? [value as string[]] : []) : value.filter(Array.isArray);
  return groups.map((group) => group.map((item) => absolute(item, near)));
}

export function absolute(item: string, near?: vscode.Uri): string {
  const folder = folderOf(near);
  return folder && !path.isAbsolute(item) ? path.join(folder, item) : item;
}
