// Moves the keyboard to what the next render puts on the page.

import { useEffect, useRef } from 'react'

/** The field with the keyboard; `at` is the caret, where the field has one. */
export interface Caret {
  id: string
  at: number | null
}

export function useFocusNext(first: Caret | null = null): (id: string) => void {
  const next = useRef(first)
  useEffect(() => {
    if (!next.current) return
    const { id, at } = next.current
    next.current = null
    const field = document.getElementById(id)
    field?.focus()
    if (at !== null && (field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement)) field.setSelectionRange(at, at)
  })
  return (id) => {
    next.current = { id, at: null }
  }
}
