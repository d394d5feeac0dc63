// SPDX-License-Identifier: Apache-2.0
import { printable, redactUrl } from '../../base/printable.ts';
import {
  InvalidJsonError,
  isJsonObject,
  type JsonValue,
  parseStrictJsonValue,
} from '../../base/strict-json.ts';
import { LIMITS } from '../../oci/limits.ts';
import type { HttpResponse } from './http-transport.ts';
import {
  RegistryError,
  type RegistryErrorCode,
  type RegistryErrorDetails,
} from './registry-error.ts';
import { parseRetryAfter } from './timing.ts';

/** How long an explanation may take to arrive. */
const EXPLANATION_MS = 5000;
const LONGEST_QUOTE = 200;

/**
 * The error that an answer other than the expected one stands for; reads its body for the registry's own words
 * (distribution-spec v1.1 §Error Codes).
 * @param what was being done, on what: the start of the message.
 */
export async function responseError(what: string, response: HttpResponse): Promise<RegistryError> {
  const said = await explanation(response);
  const reading = read(response);
  const { code, hint, transient } = reading;
  const details: RegistryErrorDetails = {
    transient,
    ...(hint === undefined ? {} : { hint }),
    ...(transient
      ? { retryAfterMs: parseRetryAfter(response.header('retry-after')[0], Date.now()) }
      : {}),
  };
  const words = said === '' ? '' : `: ${said}`;
  return new RegistryError(
    code,
    `${what}: ${redactUrl(response.url)} answered ${response.status}${words}`,
    details,
  );
}

interface Reading {
  readonly code: RegistryErrorCode;
  readonly transient: boolean;
  readonly hint?: string;
}

function read({ status, url }: HttpResponse): Reading {
  const login = `log in, for example with: podman login ${printable(url.host)}`;
  switch (status) {
    case 401:
    case 407:
      return {
        code: 'UNAUTHORIZED',
        transient: false,
        hint: `${login}; registries also say so of images that do not exist`,
      };
    case 403:
      return { code: 'FORBIDDEN', transient: false, hint: `${login} as a user who may pull it` };
    case 404:
      return {
        code: 'NOT_FOUND',
        transient: false,
        hint: 'check the spelling of repository and tag',
      };
    case 408:
      return { code: 'TIMEOUT', transient: true };
    case 429:
      return {
        code: 'RATE_LIMITED',
        transient: true,
        hint: 'wait, or log in for a higher limit, or set up a mirror in registries.conf',
      };
    case 501:
    case 505:
      return { code: 'SERVER_FAILED', transient: false };
    default:
      return status >= 500
        ? {
            code: 'SERVER_FAILED',
            transient: true,
            hint: 'the registry is in trouble; try again later',
          }
        : { code: 'PROTOCOL', transient: false };
  }
}

async function explanation(response: HttpResponse): Promise<string> {
  let body: Buffer;
  try {
    body = await response.body.readAll(LIMITS.errorBodyBytes, EXPLANATION_MS);
  } catch (error) {
    if (error instanceof RegistryError) return '';
    throw error;
  }
  return distributionErrors(body.toString('utf8'));
}

function distributionErrors(text: string): string {
  let value;
  try {
    value = parseStrictJsonValue(text, 'error');
  } catch (error) {
    if (error instanceof InvalidJsonError) return '';
    throw error;
  }
  const errors = isJsonObject(value) ? value['errors'] : undefined;
  if (!Array.isArray(errors)) return '';
  const said = errors
    .filter((error) => isJsonObject(error))
    .map(({ code, message }) => [code, message].filter(isText).join(': '))
    .join('; ');
  return printable(said.length > LONGEST_QUOTE ? `${said.slice(0, LONGEST_QUOTE)}…` : said);
}

function isText(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && value !== '';
}
