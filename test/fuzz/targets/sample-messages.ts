// SPDX-License-Identifier: Apache-2.0
// Made once with gpg and a clock that stood at the first of January 2024, by two ed25519 keys that were thrown away.

/** A primary key and a subkey, both of which sign. */
export const TRUSTED_KEY = Buffer.from(
  [
    'mDMEZZIAgBYJKwYBBAHaRw8BAQdApr8G9xMtO+zozxfNURCBqqMElzVtES5VSs8oGpL1auK0F3RydXN0ZWQgPHRA',
    'ZXhhbXBsZS5jb20+iJAEExYIADgWIQRN5hxvhky9NX7TSU5r1DDD36iGaQUCZZIAgAIbAwULCQgHAgYVCgkICwIE',
    'FgIDAQIeAQIXgAAKCRBr1DDD36iGaTNEAP4vNlkECO3RQOzh6nO/OTfYLsfAyRkRrKSnub7zj/dCSQEAp7jOgQr3',
    'Ya29jHD4FOkqzB0YpxI9fJvNH/He8uAWDAW4MwRlkgCAFgkrBgEEAdpHDwEBB0DCc17wzuHL92l3IcRka4IMKzpu',
    'hjCyJixC7qGa9uJquojvBBgWCAAgFiEETeYcb4ZMvTV+00lOa9Qww9+ohmkFAmWSAIACGwIAgQkQa9Qww9+ohml2',
    'IAQZFggAHRYhBDxS+avmR+pMai4YSEcQ833YqWJkBQJlkgCAAAoJEEcQ833YqWJkhLABAJ5Cn5QogpasGh/2Ga79',
    'jiBGTTq2GChC+EExbJRPjrB+AP0Wa/9r7gPAfZi0yAGPzy+SAJTUrqcigtC1SqcP0j7qDOy2AQDXtnkKKwkRpEH1',
    'QFjpxrjaB1cpqWgfFxweGyK2dB0EwwEA5XZ66iIrnH/UcNMSTTa7SrYnYd2mutgI7F6kODlaNwU=',
  ].join(''),
  'base64',
);

/** The same key, as ASCII armour. */
export const ARMORED_KEY = `-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEZZIAgBYJKwYBBAHaRw8BAQdApr8G9xMtO+zozxfNURCBqqMElzVtES5VSs8o
GpL1auK0F3RydXN0ZWQgPHRAZXhhbXBsZS5jb20+iJAEExYIADgWIQRN5hxvhky9
NX7TSU5r1DDD36iGaQUCZZIAgAIbAwULCQgHAgYVCgkICwIEFgIDAQIeAQIXgAAK
CRBr1DDD36iGaTNEAP4vNlkECO3RQOzh6nO/OTfYLsfAyRkRrKSnub7zj/dCSQEA
p7jOgQr3Ya29jHD4FOkqzB0YpxI9fJvNH/He8uAWDAW4MwRlkgCAFgkrBgEEAdpH
DwEBB0DCc17wzuHL92l3IcRka4IMKzpuhjCyJixC7qGa9uJquojvBBgWCAAgFiEE
TeYcb4ZMvTV+00lOa9Qww9+ohmkFAmWSAIACGwIAgQkQa9Qww9+ohml2IAQZFggA
HRYhBDxS+avmR+pMai4YSEcQ833YqWJkBQJlkgCAAAoJEEcQ833YqWJkhLABAJ5C
n5QogpasGh/2Ga79jiBGTTq2GChC+EExbJRPjrB+AP0Wa/9r7gPAfZi0yAGPzy+S
AJTUrqcigtC1SqcP0j7qDOy2AQDXtnkKKwkRpEH1QFjpxrjaB1cpqWgfFxweGyK2
dB0EwwEA5XZ66iIrnH/UcNMSTTa7SrYnYd2mutgI7F6kODlaNwU=
=reRp
-----END PGP PUBLIC KEY BLOCK-----
`;

/** When all of them hold. */
export const NOW = new Date('2024-06-01T00:00:00Z');

/** What the trusted key ever signed; the last one together with a stranger, whose signature can be taken off. */
export const SIGNED_TEXTS: readonly string[] = ['good text one', 'good text two', 'text of both'];

/** By the primary key; by the subkey, compressed; by the primary key and a stranger. */
export const SIGNED_BY_TRUSTED: readonly Buffer[] = [
  [
    'kA0DAAgWa9Qww9+ohmkByxViAjYzZZIAgGdvb2QgdGV4dCBvbmWIdQQAFggAHRYhBE3mHG+GTL01ftNJTmvUMMPf',
    'qIZpBQJlkgCAAAoJEGvUMMPfqIZpfgcBAM+m4E6ojv+lnPSyUxdr61vVgsqeJD0L2gCWpwyaWdAYAP91mo7d/955',
    'ahLp890TGLn6NKebGlUt4oE7Og09IdKaDA==',
  ].join(''),
  [
    'owGbwMvMwCHmLvC59sbKpBTG06JJTGbGqZMYGtLz81MUSlIrShRKyvM7SlkYxDgYZMUUWWyCfq5+5v7KJ0tPwgOm',
    'jZUJpIOBi1MAJhLOzPC/SHTL0ZTaKK19b69JMP0Q4Pk0/0ujrWy+N89NyYpZHKoODP9d1u35G2TXndc+nb0mUytl',
    'olbwBu5ZbD5nDjtNZX6whpkdAA==',
  ].join(''),
  [
    'kA0DAAgWnXrz5HJkpkQAkA0DAAgWa9Qww9+ohmkByxRiAjYzZZIAgHRleHQgb2YgYm90aIh1BAAWCAAdFiEETeYc',
    'b4ZMvTV+00lOa9Qww9+ohmkFAmWSAIAACgkQa9Qww9+ohmlAcgEA5idau5c4F28Cp9vfm7rWwA3MVaSUutm2ue5V',
    '9FSC3SoA/ApapQg0gMuOJH1mSYrDXBaMPT2iFar9KNapv8OT1XgOiHUEABYIAB0WIQR5zYnIg5Au4l19uQ+devPk',
    'cmSmRAUCZZIAgAAKCRCdevPkcmSmRAvRAQDBX3SltstIZTSoh7wL999oB8yy5RD45edKOghpZzSuagEA3fN8klDn',
    's0ALrFjf+qhdFIDrcQn43Vznu0QPcv0vXwU=',
  ].join(''),
].map((text) => Buffer.from(text, 'base64'));

/** Another text by another key; the same, compressed. */
export const SIGNED_BY_STRANGER: readonly Buffer[] = [
  [
    'kA0DAAgWnXrz5HJkpkQByxBiAjYzZZIAgGJhZCB0ZXh0iHUEABYIAB0WIQR5zYnIg5Au4l19uQ+devPkcmSmRAUC',
    'ZZIAgAAKCRCdevPkcmSmRHR7AP9dOUjFm1D9DwAhR4ZMoPRWr9S+F2Sm0rhAIHxSSES+TgD8Dfpmt83AyIx595Ud',
    '7XuIyufaYu+xNVzLvNQCQS4xeAg=',
  ].join(''),
  [
    'owGbwMvMwCE2t+rzk6KUZS6MpwWSmMyMUycxNCQlpiiUpFaUdJSyMIhxMMiKKbJUnu080TxB71Fs7U5+mA5WJpBi',
    'Bi5OAZhISTXD/1hLj6OzA/7yMyi6t/ks+BK2/so+8ZRll3Y4KNQEebjs82P4w/srbfvZAyd6Kr9PlX1b3XHq+a2k',
    '9xtNY07vucLkqGdYwQEA',
  ].join(''),
].map((text) => Buffer.from(text, 'base64'));
