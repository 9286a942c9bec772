import { expect, test } from 'vitest'
import { parseDomains } from '../api/domains'
import { draftOf, type Draft } from './draft'
import { check, readHost } from './rules'
import { LIST } from './testing'

test.each([
  ['app.example.com', 'app.example.com', null],
  [' App.EXAMPLE.com. ', 'app.example.com', null],
  ['https://App.Example.com/', 'app.example.com', null],
  ['http://app.example.com/shop/', 'app.example.com', '/shop'],
  ['*.example.com', '*.example.com', null],
  ['bücher.example', 'xn--bcher-kva.example', null],
  ['203.0.113.7', '203.0.113.7', null],
  ['localhost', 'localhost', null],
])('%j is %s', (text, host, path) => expect(readHost(text)).toEqual({ ok: true, host, path }))

test.each([
  ['', 'empty'],
  ['https://', 'empty'],
  ['/shop', 'empty'],
  ['app.example.com:8443', 'port'],
  ['https://app.example.com:443/p', 'port'],
  ['ftp://app.example.com', 'port'],
  ['u:p@app.example.com', 'user name'],
  ['a.example.com,b.example.com', 'Several'],
  ['https://a.example.com https://b.example.com', 'Several'],
  ['app.example.com/p?x=1', 'query'],
  ['app.example.com#top', 'query'],
  ['[::1]', 'IPv6'],
  ['x`)||Host(`evil.example.com', 'not a host name'],
  ['-a.example.com', 'not a host name'],
  ['a_b.example.com', 'not a host name'],
  ['a..example.com', 'not a host name'],
  ['app.123', 'not a host name'],
  ['*', 'not a host name'],
  ['a.*.example.com', 'not a host name'],
  ['app%2eexample.com', 'not a host name'],
])('%j is refused: %s', (text, reason) => {
  const read = readHost(text)
  expect(read.ok ? read.host : read.fault).toContain(reason)
})

const others = parseDomains(LIST)!.items
const draft = (change: Partial<Draft>): Draft => ({ ...draftOf(null), host: 'new.example.org', ...change })

test.each<[Partial<Draft>, string | null, string]>([
  [{}, null, ''],
  [{ host: 'A.example.org.' }, 'host', 'a.example.org is here already.'],
  [{ host: 'a.example.org/x' }, null, ''],
  [{ host: 'a.example.org', path_prefix: '/x/' }, null, ''],
  [{ path_prefix: 'shop' }, 'path_prefix', 'start with /'],
  [{ path_prefix: '/a//b' }, 'path_prefix', 'no //'],
  [{ path_prefix: '/../x' }, 'path_prefix', 'dot segments'],
  [{ path_prefix: '/a?b' }, 'path_prefix', 'no query'],
  [{ redirect_to: 'New.example.org' }, 'redirect_to', 'to itself'],
  [{ redirect_to: 'www.example.org/x' }, 'redirect_to', 'goes to a host'],
  [{ redirect_to: 'www.example.org' }, null, ''],
  [{ strip_prefix: true }, 'strip_prefix', 'whole host'],
  [{ strip_prefix: true, path_prefix: '/a' }, null, ''],
  [{ hsts: true, tls: 'off' }, 'hsts', 'plain http'],
  [{ tls: 'custom' }, 'certificate', 'Paste the certificate'],
])('%j: %s', (change, field, words) => {
  const errors = check(draft(change), others)
  expect(Object.keys(errors)).toEqual(field === null ? [] : [field])
  if (field !== null) expect(errors[field]).toContain(words)
})
