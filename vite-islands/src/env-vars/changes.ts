// What differs between two states of an app's variables, and how two people's changes of them come together.

import type { EnvVar } from '../api/env'

export interface Change {
  key: string
  kind: 'new' | 'changed' | 'removed'
  /** What changes, in words; empty unless it is `changed`. */
  notes: string[]
}

export function changes(before: EnvVar[], after: EnvVar[]): Change[] {
  return pairs(before, after).flatMap(([key, from, to]): Change[] => {
    if (!from) return [{ key, kind: 'new', notes: [] }]
    if (!to) return [{ key, kind: 'removed', notes: [] }]
    const notes = notesOf(from, to)
    return notes.length === 0 ? [] : [{ key, kind: 'changed', notes }]
  })
}

function notesOf(from: EnvVar, to: EnvVar): string[] {
  const notes: string[] = []
  if (from.value !== to.value) notes.push('value')
  if (from.secret !== to.secret) notes.push(to.secret ? 'secret from now on' : 'no secret any more')
  if (from.scope !== to.scope) notes.push(`${from.scope} → ${to.scope}`)
  return notes
}

/** Whether something changes that a build has seen or would see. */
export function needsBuild(before: EnvVar[], after: EnvVar[]): boolean {
  const isBuild = (v: EnvVar | undefined) => v !== undefined && v.scope !== 'run'
  return pairs(before, after).some(([, from, to]) => !isSame(from, to) && (isBuild(from) || isBuild(to)))
}

export interface Clash {
  key: string
  /** undefined: it is not there. */
  mine: EnvVar | undefined
  theirs: EnvVar | undefined
}

export interface Merge {
  /** Changed by both, or a secret of which nobody can tell: one has to choose. */
  clashes: Clash[]
  /** Changed by them alone. */
  theirs: Change[]
  /** The outcome, once `takesTheirs` says for each clash whose it shall be. */
  merged: (takesTheirs: (key: string) => boolean) => EnvVar[]
}

/** Brings together what two people made of `base`. */
export function merge(base: EnvVar[], mine: EnvVar[], theirs: EnvVar[]): Merge {
  const at = (vars: EnvVar[], key: string) => vars.find((v) => v.key === key)
  const isClash = (key: string, m: EnvVar | undefined, t: EnvVar | undefined) => {
    const b = at(base, key)
    if (isSame(m, t) || isSame(b, m)) return false
    return !isSame(b, t) || (t?.value === null && m?.value !== null)
  }
  const all = pairs(mine, theirs)
  const clashes = all.filter(([key, m, t]) => isClash(key, m, t)).map(([key, m, t]) => ({ key, mine: m, theirs: t }))
  const clashing = new Set(clashes.map(({ key }) => key))
  return {
    clashes,
    theirs: changes(base, theirs).filter(({ key }) => !clashing.has(key) && !isSame(at(mine, key), at(theirs, key))),
    merged: (takesTheirs) =>
      all.flatMap(([key, m, t]) => {
        const takes = clashing.has(key) ? takesTheirs(key) : isSame(at(base, key), m)
        const taken = takes ? t : m
        return taken ? [taken] : []
      }),
  }
}

/** Both sides of every key, in the order of the first, then of what only the second has. */
function pairs(one: EnvVar[], other: EnvVar[]): [string, EnvVar | undefined, EnvVar | undefined][] {
  const [left, right] = [byKey(one), byKey(other)]
  return [...new Set([...left.keys(), ...right.keys()])].map((key) => [key, left.get(key), right.get(key)])
}

function byKey(vars: EnvVar[]): Map<string, EnvVar> {
  return new Map(vars.map((v) => [v.key, v]))
}

export function isSame(a: EnvVar | undefined, b: EnvVar | undefined): boolean {
  return a?.key === b?.key && a?.value === b?.value && a?.secret === b?.secret && a?.scope === b?.scope
}
