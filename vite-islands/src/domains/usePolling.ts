// Asks again and again while something is expected to change, and stops: when it has, after some minutes, and while
// nobody looks at the page.

import { useEffect, useRef, useState } from 'react'

/** Between two questions, in milliseconds. */
export const EVERY = 5_000
/** All of it, in milliseconds. */
export const FOR_AT_MOST = 10 * 60_000

/** `isOver`: it was given up; `again` begins anew. */
export function usePolling(isWanted: boolean, ask: () => Promise<void>): { isOver: boolean; again: () => void } {
  const [isOver, setOver] = useState(false)
  const [round, setRound] = useState(0)
  const latest = useRef(ask)
  latest.current = ask

  useEffect(() => {
    if (!isWanted || isOver) return
    let timer: ReturnType<typeof setTimeout> | undefined
    let isEnded = false
    const end = Date.now() + FOR_AT_MOST
    const next = () => {
      clearTimeout(timer)
      if (isEnded || document.hidden) return
      if (Date.now() >= end) return setOver(true)
      timer = setTimeout(() => void latest.current().then(next), EVERY)
    }
    next()
    document.addEventListener('visibilitychange', next)
    return () => {
      isEnded = true
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', next)
    }
  }, [isWanted, isOver, round])

  return {
    isOver: isWanted && isOver,
    again: () => {
      setOver(false)
      setRound((at) => at + 1)
      void latest.current()
    },
  }
}
