import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parse, serialise, serialiseValue } from './dotenv'

type Example =
  | { text: string; vars: [string, string][]; warnings: number[]; errors: number[] }
  | { value: string; serialised: string }

// The same examples as Dhow's own parser is tested with. Vitest runs in vite-islands/.
const EXAMPLES: Example[] = JSON.parse(readFileSync('../tests/fixtures/dotenv.json', 'utf8'))

function told(text: string): Example {
  const read = parse(text)
  if (!read.ok) return { text, vars: [], warnings: [], errors: read.errors.map((e) => e.line) }
  return { text, vars: read.vars.map((v) => [v.key, v.value]), warnings: read.warnings.map((w) => w.line), errors: [] }
}

test('there are examples', () => expect(EXAMPLES.length).toBeGreaterThan(60))

test.each(EXAMPLES)('$text$value', (example) => {
  if ('text' in example) {
    expect(told(example.text)).toEqual(example)
  } else {
    expect(serialiseValue(example.value)).toBe(example.serialised)
    expect(parse(`A=${example.serialised}\nB=1\n`)).toMatchObject({ ok: true, vars: [{ value: example.value }, { value: '1' }] })
  }
})

const odd = fc.string({ unit: fc.constantFrom(...'\n\r\t "\'\\#=$`{}abnrt-\ufeff\u00a0é🚀'), maxLength: 40 })
const value = fc.oneof(odd, fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0')))

test('whatever the values hold comes back as it was', () => {
  fc.assert(
    fc.property(fc.array(value, { maxLength: 6 }), (values) => {
      const vars = values.map((text, i) => ({ key: `K${i}`, value: text }))
      expect(parse(serialise(vars))).toEqual({ ok: true, vars, warnings: [] })
    }),
    { numRuns: 2000 },
  )
})

test('any text is read or refused with lines that it has', () => {
  fc.assert(
    fc.property(fc.oneof(odd, odd.map((text) => `A="${text}`), fc.string()), (text) => {
      const read = parse(text)
      const last = text.replace(/\r\n?/g, '\n').split('\n').length
      for (const { line } of read.ok ? read.warnings : read.errors) expect(line > 0 && line <= last).toBe(true)
    }),
    { numRuns: 2000 },
  )
})

test('mistakes are told in words that help', () => {
  expect(parse('KEY=-----BEGIN X-----\nAA\n-----END X-----')).toEqual({
    ok: false,
    errors: [{ line: 1, message: 'The value of KEY goes on in the next lines. Put it in double quotes.' }],
  })
  expect(parse('A={\n}')).toMatchObject({
    errors: [{ line: 2, message: 'This is no NAME=value. If this line belongs to the value of A, put that value in double quotes.' }],
  })
  expect(parse('A=1\nPORT=3000')).toEqual({
    ok: false,
    errors: [{ line: 2, message: 'PORT and names beginning with DHOW_ are set by Dhow itself. Leave this line out.' }],
  })
})
