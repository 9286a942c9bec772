// A whole .env file pasted anywhere becomes rows. In the value of a variable it is offered only: it may be the value.

import { type ClipboardEvent, useEffect, useRef, useState } from 'react'
import { type LineNote, type Pair, parse } from './dotenv'
import { isBlank, type Row } from './rows'
import { readFile } from './text'

export interface Offer {
  /** The row whose value was pasted, and what it was before. */
  row: Row
  pairs: Pair[]
  warnings: LineNote[]
}

export interface Pasting {
  offer: Offer | null
  /** What is to be known about the last paste. */
  notes: { isRefused: boolean; lines: LineNote[] } | null
  onPaste: (event: ClipboardEvent, row: Row, field: 'key' | 'value') => void
  /** Takes the offer: the value becomes again what it was. */
  accept: () => void
  forget: () => void
}

export function usePaste(isTable: boolean, take: (pairs: Pair[], restored: Row | null) => void): Pasting {
  const [offer, setOffer] = useState<Offer | null>(null)
  const [notes, setNotes] = useState<Pasting['notes']>(null)

  function takeText(text: string): boolean {
    setOffer(null)
    const read = parse(text)
    setNotes({ isRefused: !read.ok, lines: read.ok ? read.warnings : read.errors })
    if (read.ok && read.vars.length > 0) take(read.vars, null)
    return read.ok
  }

  const outside = useRef<(text: string) => boolean>(() => false)
  outside.current = (text) => isTable && readFile(text) !== null && takeText(text)
  useEffect(() => {
    const onPaste = (event: globalThis.ClipboardEvent) => {
      const isField = event.target instanceof Element && event.target.closest('input, textarea, select, [contenteditable]')
      if (!isField && outside.current(event.clipboardData?.getData('text/plain') ?? '')) event.preventDefault()
    }
    document.addEventListener('paste', onPaste)
    return () => document.removeEventListener('paste', onPaste)
  }, [])

  return {
    offer,
    notes,
    onPaste: (event, row, field) => {
      const text = event.clipboardData.getData('text/plain')
      if (field === 'key') {
        if (!/[=\n\r]/.test(text.trim())) return
        event.preventDefault()
        takeText(text)
        return
      }
      const file = readFile(text)
      if (!file?.ok) return
      if (isBlank(row)) {
        event.preventDefault()
        takeText(text)
      } else {
        setNotes(null)
        setOffer({ row, pairs: file.vars, warnings: file.warnings })
      }
    },
    accept: () => {
      if (!offer) return
      setOffer(null)
      setNotes({ isRefused: false, lines: offer.warnings })
      take(offer.pairs, offer.row)
    },
    forget: () => {
      setOffer(null)
      setNotes(null)
    },
  }
}
