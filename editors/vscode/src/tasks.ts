/** Tasks that run the command line on policies, in a terminal. */

import * as vscode from "vscode";
import { pathsWith, savePolicies } from "./sets";
import { program, setting } from "./settings";

const TYPE = "interlock";
const COMMANDS = ["check", "test", "prove"] as const;
export type Command = (typeof COMMANDS)[number];

export function registerTasks(): vscode.Disposable {
  return vscode.tasks.registerTaskProvider(TYPE, {
    provideTasks: () =>
      (vscode.workspace.workspaceFolders ?? []).flatMap((folder) =>
        COMMANDS.map((command) => task({ type: TYPE, command }, folder, [command, folder.uri.fsPath])),
      ),
    resolveTask: (given) => {
      const command = given.definition["command"] as Command;
      const folder = given.scope;
      if (!COMMANDS.includes(command) || folder === undefined || typeof folder === "number") {
        return undefined;
      }
      const paths = (given.definition["paths"] as string[] | undefined) ?? [folder.uri.fsPath];
      return task(given.definition, folder, [command, ...paths]);
    },
  });
}

/** Checks, tests or proves the policy set of a file in a terminal. */
export async function runOn(command: Command, file: vscode.Uri): Promise<void> {
  await savePolicies();
  const more = command === "prove" ? ["--timeout", String(setting<number>("proofSeconds", file))] : [];
  const args = [command, ...more, ...(await pathsWith(file))];
  await vscode.tasks.executeTask(task({ type: TYPE, command }, folderOrWorkspace(file), args, file));
}

/** Gates a file with the policies of the settings. */
export async function gate(file: vscode.Uri): Promise<void> {
  const policies = setting<string[]>("gate.policies", file).flatMap((policy) => ["--policy", policy]);
  const environment = setting<string>("gate.environment", file);
  const path = vscode.workspace.asRelativePath(file, false);
  const args = ["gate", ...policies, "--environment", environment, "--", path];
  await vscode.tasks.executeTask(
    task({ type: TYPE, command: "gate" }, folderOrWorkspace(file), args, file),
  );
}

function task(
  definition: vscode.TaskDefinition,
  scope: vscode.WorkspaceFolder | vscode.TaskScope.Workspace,
  args: readonly string[],
  near: vscode.Uri | undefined = typeof scope === "object" ? scope.uri : undefined,
): vscode.Task {
  const found = program(args, near);
  const execution = new vscode.ProcessExecution(
    found.command,
    [...found.args],
    found.cwd === undefined ? {} : { cwd: found.cwd },
  );
  const isCheck = definition["command"] === "check";
  // The server reports the same problems, unless it looks at open files only.
  const matchers = isCheck && !setting<boolean>("workspaceDiagnostics", near) ? ["$interlock"] : [];
  const made = new vscode.Task(definition, scope, String(definition["command"]), TYPE, execution, matchers);
  made.presentationOptions = { reveal: vscode.TaskRevealKind.Always, clear: true };
  if (definition["command"] === "test") {
    made.group = vscode.TaskGroup.Test;
  } else if (isCheck) {
    made.group = vscode.TaskGroup.Build;
  }
  return made;
}

function folderOrWorkspace(file: vscode.Uri): vscode.WorkspaceFolder | vscode.TaskScope.Workspace {
  return vscode.workspace.getWorkspaceFolder(file) ?? vscode.TaskScope.Workspace;
}
