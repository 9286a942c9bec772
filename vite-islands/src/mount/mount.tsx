// Puts an island in the place of a plain form that works without it.
// The form stays until React has something to show, and comes back if the island breaks.

import { type ReactNode, StrictMode } from 'react'
import { flushSync } from 'react-dom'
import { createRoot } from 'react-dom/client'

/** The form is what is wanted now. */
export const LEAVE = Symbol('leave the form')

/** `render` gets the parsed JSON of `data-props` and the form as the user left it; null: the props are not understood. */
export type Render = (props: unknown, place: HTMLElement) => ReactNode | typeof LEAVE

export function mountAll(island: string, render: Render): void {
  for (const place of document.querySelectorAll<HTMLElement>(`[data-island="${island}"]`)) mount(place, render)
}

function mount(place: HTMLElement, render: Render): void {
  let content: ReactNode | typeof LEAVE = null
  try {
    content = render(JSON.parse(place.dataset.props ?? ''), place)
  } catch (error) {
    console.error(error)
  }
  if (content === LEAVE) return
  if (content === null) {
    console.error(`island ${place.dataset.island}: data-props not understood, the plain form stays`)
    return
  }
  const form = [...place.childNodes]
  const root = createRoot(place, {
    onUncaughtError(error) {
      console.error(error)
      queueMicrotask(() => {
        root.unmount()
        place.replaceChildren(...form)
      })
    },
  })
  flushSync(() => root.render(<StrictMode>{content}</StrictMode>))
}
