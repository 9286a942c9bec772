// Undo and redo over any state. Typing in one place is one step until it pauses.

export interface History<T> {
  past: T[]
  now: T
  future: T[]
  /** What the last step belongs to, and when it was made: the next one of the same place joins it. */
  last: { place: string; at: number } | null
}

/** Steps that can be undone. */
const MOST_STEPS = 200
/** A pause in milliseconds after which typing is another step. */
const PAUSE = 1000

export function begin<T>(now: T): History<T> {
  return { past: [], now, future: [], last: null }
}

/** `place` names what is being typed in; null makes a step of its own. */
export function step<T>(history: History<T>, now: T, place: string | null, at: number): History<T> {
  const { last } = history
  const joins = place !== null && last?.place === place && at - last.at < PAUSE
  const past = joins ? history.past : [...history.past, history.now].slice(-MOST_STEPS)
  return { past, now, future: [], last: place === null ? null : { place, at } }
}

export function undo<T>({ past, now, future }: History<T>): History<T> | null {
  const before = past.at(-1)
  return before === undefined ? null : { past: past.slice(0, -1), now: before, future: [now, ...future], last: null }
}

export function redo<T>({ past, now, future }: History<T>): History<T> | null {
  const [next, ...rest] = future
  return next === undefined ? null : { past: [...past, now], now: next, future: rest, last: null }
}
