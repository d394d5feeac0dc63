// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  assertAllowedHostPaths,
  assertAllowedTmpfiles,
  assertVolumesOutsideStore,
} from '../../../../src/container/package/forbidden-host-path.ts';

const STORES = ['/var/lib/sysct', '/srv/images'];
const FORBIDDEN = { code: 'FORBIDDEN_HOST_PATH' };

describe('host files that no image may bring', () => {
  it('are links and files in place of a directory above a forbidden path (linked policy directory)', () => {
    const place = (isDirectory: boolean) => [{ path: '/etc/containers', isDirectory }];
    assert.throws(() => assertAllowedHostPaths(place(false), STORES), FORBIDDEN);
    assertAllowedHostPaths(place(true), STORES);
  });
  for (const path of [
    '/root/.config/containers/registries.conf',
    '/root/.docker/config.json',
    '/srv/images/objects/ab',
  ]) {
    it(`are ${path}`, () => {
      const places = [{ path, isDirectory: false }];
      assert.throws(() => assertAllowedHostPaths(places, STORES), FORBIDDEN);
    });
  }
});

describe('tmpfiles.d lines that no image may have (policy written by tmpfiles)', () => {
  for (const line of [
    'f+ /etc/containers/policy.json 0644 root root - {"default":[{"type":"insecureAcceptAnything"}]}',
    ' L+\t"/etc/containers/policy.json" - - - - /x',
    "C /etc/'containers/policy'.json - - - - /x",
    'f /etc/containers/poli\\x63y.json',
    'f /etc//containers/./policy.json',
    'f /etc/x/../containers/policy.json',
    'L /etc/containers - - - - /x',
    'R /etc/cont*',
    'Z /etc/containers/* 0777',
    'd /etc/containers/registries.d 0777',
    'R /var/lib/sysct',
    'R %S/sysct/objects',
    'f %h/.docker/config.json',
    'r! /var/lib',
    '# x\rf /etc/sysct/auth.json',
  ]) {
    it(`are ${JSON.stringify(line)}`, () => {
      assert.throws(() => assertAllowedTmpfiles(`d /run/x\n${line}\n`, STORES), FORBIDDEN);
    });
  }
  it('are not those of images as they are', () => {
    const text = [
      '# f /etc/containers/policy.json',
      'd /etc/containers 0755',
      'd /var/lib/etcd 0700 996 994 - -',
      'D "/var/lib/a b"',
      'w /sys/kernel/mm/transparent_hugepage/enabled - - - - never',
      'f /etc/containers/storage.conf',
      'z /var/lib/etcd/* 0600',
      'd /var/lib/sysctl',
      'L /etc/etcd - - - - ../usr/etcd',
      '',
    ].join('\n');
    assertAllowedTmpfiles(text, STORES);
  });
});

describe('volumes in the store (image called sysct)', () => {
  it('are refused', () => {
    const inStore = '/var/lib/sysct/objects';
    assert.throws(() => assertVolumesOutsideStore([inStore], STORES), FORBIDDEN);
    assertVolumesOutsideStore(['/var/lib/sysct2/objects'], STORES);
  });
});
