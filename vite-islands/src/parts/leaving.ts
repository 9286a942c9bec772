// Leaving the page with something unsaved asks first.

import { useEffect, useRef } from 'react'

/** Answers what to call before leaving on purpose. */
export function useLeaveGuard(isDirty: boolean): () => void {
  const isLeaving = useRef(false)
  useEffect(() => {
    if (!isDirty) return
    const warn = (event: BeforeUnloadEvent) => {
      if (!isLeaving.current) event.preventDefault()
    }
    window.addEventListener('beforeunload', warn)
    return () => window.removeEventListener('beforeunload', warn)
  }, [isDirty])
  return () => {
    isLeaving.current = true
  }
}
