// SPDX-License-Identifier: Apache-2.0
import { printable, redactUrl } from '../../base/printable.ts';
import { messageOf } from '../../base/sysct-error.ts';
import { RegistryError, type RegistryErrorCode } from './registry-error.ts';

interface Reading {
  readonly code: RegistryErrorCode;
  readonly seen: string;
  readonly transient: boolean;
  readonly hint?: string;
}

export const CLOSED_HERE = 'the connection was closed on this side';

const TLS_CODE =
  /^(ERR_TLS_|ERR_SSL_|CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|ERR_OSSL_)/;

/** What undici, Node's sockets and OpenSSL throw, as one of ours. A RegistryError passes through. */
export function transportError(error: unknown, url: URL): RegistryError {
  const cause = innermost(error);
  if (cause instanceof RegistryError) return cause;
  const { code, seen, transient, hint } = read(codeOf(cause), cause);
  return new RegistryError(code, `${redactUrl(url)}: ${seen}`, {
    cause: error,
    transient,
    ...(hint === undefined ? {} : { hint }),
  });
}

function read(code: string, cause: unknown): Reading {
  switch (code) {
    case 'ENOTFOUND':
      return {
        code: 'UNREACHABLE',
        seen: 'the host name is not known',
        transient: false,
        hint: 'check the spelling, /etc/hosts and DNS',
      };
    case 'EAI_AGAIN':
      return { code: 'UNREACHABLE', seen: 'DNS does not answer', transient: true };
    case 'ECONNREFUSED':
      return {
        code: 'UNREACHABLE',
        seen: 'connection refused',
        transient: false,
        hint: 'is the registry running, and is this its port?',
      };
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
      return { code: 'UNREACHABLE', seen: 'there is no route to it', transient: false };
    case 'ETIMEDOUT':
    case 'UND_ERR_CONNECT_TIMEOUT':
      return { code: 'TIMEOUT', seen: 'no connection in time', transient: true };
    case 'UND_ERR_HEADERS_TIMEOUT':
      return { code: 'TIMEOUT', seen: 'no answer in time', transient: true };
    case 'UND_ERR_BODY_TIMEOUT':
      return { code: 'TIMEOUT', seen: 'the body stopped coming', transient: true };
    case 'ECONNRESET':
    case 'EPIPE':
    case 'ECONNABORTED':
    case 'UND_ERR_SOCKET':
    case 'UND_ERR_CLOSED':
    case 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH':
      return { code: 'UNREACHABLE', seen: 'the connection broke', transient: true };
    case 'UND_ERR_DESTROYED':
      return { code: 'CLOSED', seen: CLOSED_HERE, transient: false };
    case 'UND_ERR_HEADERS_OVERFLOW':
      return { code: 'PROTOCOL', seen: 'its headers are too long', transient: false };
    default:
      return readOther(code, cause);
  }
}

function readOther(code: string, cause: unknown): Reading {
  const said = printable(messageOf(cause)).trim();
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_WRONG_VERSION')) {
    return {
      code: 'TLS',
      seen: `no TLS (${firstWords(said)})`,
      transient: false,
      hint: 'if the registry speaks plain HTTP, set "insecure = true" for it in registries.conf, or give --tls-verify=false',
    };
  }
  if (TLS_CODE.test(code)) {
    return {
      code: 'TLS',
      seen: `its certificate is not accepted: ${said}`,
      transient: false,
      hint: "put the registry's authority into /etc/containers/certs.d/HOST:PORT/ca.crt, or give --tls-verify=false",
    };
  }
  if (code.startsWith('HPE_')) {
    return { code: 'PROTOCOL', seen: `the answer is not HTTP: ${said}`, transient: false };
  }
  if (/proxy/i.test(said)) {
    return {
      code: 'UNREACHABLE',
      seen: `the proxy refused: ${said}`,
      transient: false,
      hint: 'check HTTPS_PROXY, HTTP_PROXY and NO_PROXY',
    };
  }
  return { code: 'UNREACHABLE', seen: said, transient: false };
}

// node:net wraps the failures of a name's several addresses, undici those of its proxy client.
function innermost(error: unknown): unknown {
  if (error instanceof AggregateError && error.errors.length > 0) return innermost(error.errors[0]);
  if (error instanceof Error && error.cause instanceof Error) {
    const own = codeOf(error);
    if (own === '' || own === 'UND_ERR_PRX_TLS' || own === 'UND_ERR_PRX_CONN')
      return innermost(error.cause);
  }
  return error;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : '';
}

/** OpenSSL's messages are `80…:error:0A00010B:SSL routines:…:wrong version number:../deps/…`. */
function firstWords(said: string): string {
  return /SSL routines:[^:]*:([^:]+):/.exec(said)?.[1] ?? said;
}
