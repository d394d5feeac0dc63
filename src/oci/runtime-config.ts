// SPDX-License-Identifier: Apache-2.0

/** What sysct reads and writes of a runtime-spec v1.2 config.json; other members pass through untouched. */
export interface RuntimeConfig {
  ociVersion: string;
  process?: RuntimeProcess;
  root?: { path: string; readonly?: boolean };
  hostname?: string;
  mounts?: RuntimeMount[];
  linux?: RuntimeLinux;
  annotations?: Record<string, string>;
  [member: string]: unknown;
}

export interface RuntimeProcess {
  terminal?: boolean;
  user?: RuntimeUser;
  args?: string[];
  env?: string[];
  cwd?: string;
  capabilities?: RuntimeCapabilities;
  /** Of 64 bits: a bigint where a number is not exact. */
  rlimits?: { type: string; soft: number | bigint; hard: number | bigint }[];
  noNewPrivileges?: boolean;
  selinuxLabel?: string;
  apparmorProfile?: string;
  oomScoreAdj?: number;
  [member: string]: unknown;
}

export interface RuntimeUser {
  uid: number;
  gid: number;
  umask?: number;
  additionalGids?: number[];
}

export interface RuntimeCapabilities {
  bounding?: string[];
  effective?: string[];
  inheritable?: string[];
  permitted?: string[];
  ambient?: string[];
}

export interface RuntimeMount {
  destination: string;
  type?: string;
  source?: string;
  options?: string[];
}

export interface RuntimeLinux {
  namespaces?: { type: string; path?: string }[];
  resources?: {
    devices?: { allow: boolean; type?: string; major?: number; minor?: number; access?: string }[];
    [member: string]: unknown;
  };
  devices?:
    | {
        path: string;
        type: string;
        major?: number;
        minor?: number;
        fileMode?: number;
        uid?: number;
        gid?: number;
      }[]
    | null;
  rootfsPropagation?: string;
  cgroupsPath?: string;
  maskedPaths?: string[];
  readonlyPaths?: string[];
  mountLabel?: string;
  seccomp?: unknown;
  sysctl?: Record<string, string>;
  [member: string]: unknown;
}
