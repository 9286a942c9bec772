import { act } from '@testing-library/react'
import { useState } from 'react'
import { expect, test, vi } from 'vitest'
import { mountAll } from './mount'

function place(props: string) {
  const element = document.createElement('div')
  element.dataset.island = 'x'
  element.dataset.props = props
  element.innerHTML = '<form>plain</form>'
  document.body.append(element)
  return element
}

test('replaces the form by the island', () => {
  const element = place('{"name":"dhow"}')
  act(() => mountAll('x', (props) => <p>{JSON.stringify(props)}</p>))
  expect(element.innerHTML).toBe('<p>{"name":"dhow"}</p>')
})

test.each([['not JSON'], ['']])('leaves the form alone when the props are %j', (props) => {
  const log = vi.spyOn(console, 'error').mockImplementation(() => {})
  const element = place(props)
  mountAll('x', () => <p>never</p>)
  expect(element.innerHTML).toBe('<form>plain</form>')
  expect(log).toHaveBeenCalled()
})

// Outside act(), which would throw the error at the test instead of handing it to the root.
test.each(['at once', 'later'])('gives the form back when the island breaks %s', async (when) => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', false)
  vi.spyOn(console, 'error').mockImplementation(() => {})
  const element = place('{}')
  function Fragile() {
    const [isBroken, setBroken] = useState(when === 'at once')
    if (isBroken) throw new Error('broken')
    return <button onClick={() => setBroken(true)}>break</button>
  }
  mountAll('x', () => <Fragile />)
  element.querySelector('button')?.click()
  await vi.waitFor(() => expect(element.innerHTML).toBe('<form>plain</form>'))
})
