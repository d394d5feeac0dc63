// SPDX-License-Identifier: Apache-2.0
// What is done to a site at once, and what must be true of it afterwards, however it ended.
import assert from 'node:assert/strict';
import { CRASH_IMAGES, type CrashImage } from '../support/crash/crash-images.ts';
import type { Action, CrashSite, Ended, Holdings } from '../support/crash/crash-site.ts';
import { oneOf, type Random } from '../support/random.ts';

export interface Step {
  readonly action: Action;
  readonly image: CrashImage;
}

export function wordsOf(steps: readonly Step[]): string {
  return steps.map(({ action, image }) => `${action} ${image}`).join(', ');
}

const VICTIMS: readonly CrashImage[] = ['a', 'b', 'c', 'd', 'shared'];

/** One to four things to do at once, each with an image of its own, each possible. */
export function chooseSteps(
  actions: readonly Action[],
  holdings: Holdings,
  random: Random,
): readonly Step[] {
  const { images, containers } = holdings;
  const free = [...VICTIMS];
  const count = random() < 0.4 ? 1 : 2 + Math.floor(random() * 3);
  const steps: Step[] = [];
  while (steps.length < count) {
    const image = oneOf(random, free);
    const possible = actions.filter((action) => {
      if (image === 'shared') return action === 'prefetch' && random() < 0.5;
      if (action === 'prefetch') return false;
      if (action === 'rmi') return images.has(image) && !containers.has(image);
      if (action === 'install') return !containers.has(image);
      if (action === 'uninstall') return containers.has(image);
      if (action === 'pull') return !images.has(image) || random() < 0.2;
      // Always possible: they would leave little to the others.
      return random() < 0.2 && !steps.some((step) => step.action === action);
    });
    free.splice(free.indexOf(image), 1);
    if (possible.length > 0) steps.push({ action: oneOf(random, possible), image });
    if (free.length === 0) break;
  }
  return steps.length > 0 ? steps : chooseSteps(actions, holdings, random);
}

/** What must be ready for the steps: something to prefetch, something to repair. */
export async function prepare(site: CrashSite, steps: readonly Step[]): Promise<Holdings> {
  if (steps.some(({ action }) => action === 'prefetch')) await site.undoPrefetch();
  const before = await site.holdings();
  if (steps.some(({ action }) => action === 'repair')) site.damage();
  return before;
}

/** Runs a step that was cut short again: it works, and does what it should have done. */
export async function runAgain(site: CrashSite, step: Step): Promise<void> {
  const { action, image } = step;
  const { containers } = await site.holdings();
  const isDone =
    (action === 'install' && containers.has(image)) ||
    (action === 'uninstall' && !containers.has(image));
  // What was done before it was cut short is refused politely; let another writer tidy up then.
  const line = isDone ? site.lineOf('pull', 'keep') : site.lineOf(action, image);
  assertSucceeded(step, await site.run(line));
  assertDone(step, await site.holdings());
  if (action === 'pull') assert.deepEqual(site.debris(), [], 'what dead imports left');
}

export function assertSucceeded({ action, image }: Step, ended: Ended): void {
  const { exitCode, stdout, stderr } = ended;
  assert.equal(exitCode, 0, `${action} ${image}: ${stdout}${stderr}`);
}

/** A step that ended well has done what it is for. */
export function assertDone(step: Step, holdings: Holdings): void {
  const { images, containers, inPlace } = holdings;
  const { action, image } = step;
  const what = `${action} ${image} is done`;
  switch (action) {
    case 'pull':
      assert.ok(images.has(image), what);
      break;
    case 'install':
      assert.ok(containers.has(image), what);
      break;
    case 'prefetch':
      assert.ok(containers.has(image) && !inPlace.has(image), what);
      break;
    case 'uninstall':
      assert.ok(!containers.has(image), what);
      break;
    case 'rmi':
      assert.ok(!images.has(image), what);
      break;
    case 'gc':
    case 'repair':
  }
}

/** Nothing went or came that nobody asked for. */
export function assertOnlyAsked(steps: readonly Step[], before: Holdings, after: Holdings): void {
  const asked = (image: CrashImage, ...actions: readonly Action[]): boolean =>
    steps.some((step) => step.image === image && actions.includes(step.action));
  for (const image of CRASH_IMAGES) {
    const mayCome = asked(image, 'pull', 'install', 'prefetch');
    assertKept(`image ${image}`, before.images, after.images, image, mayCome, asked(image, 'rmi'));
    const [comes, goes] = [asked(image, 'install'), asked(image, 'uninstall')];
    assertKept(`container on-${image}`, before.containers, after.containers, image, comes, goes);
    const isFetched = asked(image, 'prefetch');
    assertKept(`need of on-${image}`, before.inPlace, after.inPlace, image, false, isFetched);
  }
}

function assertKept(
  what: string,
  before: ReadonlySet<CrashImage>,
  after: ReadonlySet<CrashImage>,
  image: CrashImage,
  mayCome: boolean,
  mayGo: boolean,
): void {
  if (before.has(image)) assert.ok(after.has(image) || mayGo, `${what} is lost`);
  else assert.ok(!after.has(image) || mayCome, `${what} came from nowhere`);
}
