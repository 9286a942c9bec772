// Puts an island in the place of a plain form that works without it.
// The form stays until React has something to show, and comes back if the island breaks.

import { type ReactNode, StrictMode } from 'react'
import { flushSync } from 'react-dom'
import { createRoot } from 'react-dom/client'

/** `render` gets the parsed JSON of `data-props` and the form as the user left it; null leaves the form alone. */
export type Render = (props: unknown, place: HTMLElement) => ReactNode | null

export function mountAll(island: string, render: Render): void {
  for (const place of document.querySelectorAll<HTMLElement>(`[data-island="${island}"]`)) mount(place, render)
}

function mount(place: HTMLElement, render: Render): void {
  let content: ReactNode | null = null
  try {
    content = render(JSON.parse(place.dataset.props ?? ''), place)
  } catch (error) {
    console.error(error)
  }
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
