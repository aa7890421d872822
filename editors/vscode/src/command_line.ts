/** Runs `interlock` and reads what it prints; never through a shell. */

import { spawn } from "node:child_process";
import * as vscode from "vscode";
import { program } from "./settings";

const MAX_OUTPUT = 64 * 1024 * 1024;

export interface Finished {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}

export function run(
  args: readonly string[],
  near: vscode.Uri,
  cancel: vscode.CancellationToken,
): Promise<Finished> {
  const { command, args: all, cwd } = program(args, near);
  return new Promise((resolve, reject) => {
    const child = spawn(command, all, { cwd, stdio: ["ignore", "pipe", "pipe"], shell: false });
    const cancelled = cancel.onCancellationRequested(() => child.kill());
    const out: Buffer[] = [];
    const error: Buffer[] = [];
    let size = 0;
    const take = (chunks: Buffer[]) => (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_OUTPUT) {
        child.kill();
        reject(new Error(`${command} printed more than ${MAX_OUTPUT} bytes`));
      } else {
        chunks.push(chunk);
      }
    };
    child.stdout.on("data", take(out));
    child.stderr.on("data", take(error));
    child.on("error", (problem) => {
      cancelled.dispose();
      reject(new Error(`${command} cannot be run: ${problem.message}`));
    });
    child.on("close", (code) => {
      cancelled.dispose();
      const text = (chunks: Buffer[]) => Buffer.concat(chunks).toString("utf8");
      resolve({ code, out: text(out), error: text(error) });
    });
  });
}
