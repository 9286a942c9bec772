import { cleanup } from '@testing-library/react'
import { afterEach } from 'vitest'

// axe asks for it; jsdom draws nothing and would say so each time.
HTMLCanvasElement.prototype.getContext = () => null

afterEach(() => {
  cleanup()
  document.body.replaceChildren()
})
