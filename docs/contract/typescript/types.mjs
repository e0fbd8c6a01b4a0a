// Makes contract.d.ts from ../contract.json: npm run types
import { readFile, writeFile } from 'node:fs/promises';
import { compile } from 'json-schema-to-typescript';

// With a default beside it, a reference would make a type of its own: Limits1.
const bareReferences = (key, value) => (value?.$ref ? { $ref: value.$ref } : value);

const schema = JSON.parse(await readFile(new URL('../contract.json', import.meta.url), 'utf8'), bareReferences);
schema.$defs.JsonValue.tsType = 'unknown'; // a schema without rules would become an object
const written = await compile(schema, 'Contract', {
  additionalProperties: false,
  bannerComment: '// Made from ../contract.json by types.mjs. Times are texts in RFC 3339.',
  style: { printWidth: 120, singleQuote: true },
  unreachableDefinitions: true,
});
const readable = written
  .replace(/\n \*(?:\n \*)? This interface was referenced by .*\n \* via the `definition` .*/g, '')
  .replace(/\/\*\*\n \*\/\n/g, '')
  .replace(/export interface Contract \{[^}]*\}\n/, '');
await writeFile(new URL('contract.d.ts', import.meta.url), readable);
