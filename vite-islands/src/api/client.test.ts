import { expect, test, vi } from 'vitest'
import { send } from './client'

function answer(status: number, body: string) {
  const fetch = vi.fn(async (_path: string, _init: RequestInit) => new Response(body, { status }))
  vi.stubGlobal('fetch', fetch)
  return fetch
}

test('sends JSON with the session of the page', async () => {
  const fetch = answer(200, '{"a":1}')
  expect(await send('PUT', '/api/v1/x', { b: 2 })).toEqual({ ok: true, body: { a: 1 } })
  const [path, init] = fetch.mock.calls[0] ?? []
  expect(path).toBe('/api/v1/x')
  expect(init).toMatchObject({ method: 'PUT', credentials: 'same-origin', body: '{"b":2}' })
})

test('reads problem details and drops what is not a field error', async () => {
  answer(422, '{"title":"Not valid","detail":"Look below","errors":[{"field":"vars[0].key","message":"no"},{"field":1},null]}')
  expect(await send('PUT', '/', {})).toEqual({
    ok: false,
    problem: { status: 422, title: 'Not valid', detail: 'Look below', errors: [{ field: 'vars[0].key', message: 'no' }] },
  })
})

test.each([
  [502, '<html>Bad gateway</html>', 'Dhow answered with status 502'],
  [500, '"text"', 'Dhow answered with status 500'],
  [200, '<html>Sign in</html>', 'The answer could not be read'],
])('%i with %s is a problem with words', async (status, body, title) => {
  answer(status, body)
  expect(await send('PUT', '/', {})).toMatchObject({ ok: false, problem: { status, title, errors: [] } })
})

test('no answer at all is a problem too', async () => {
  vi.stubGlobal('fetch', vi.fn().mockRejectedValue(new TypeError('failed')))
  expect(await send('PUT', '/', {})).toMatchObject({ ok: false, problem: { status: 0, title: 'Dhow did not answer' } })
})
