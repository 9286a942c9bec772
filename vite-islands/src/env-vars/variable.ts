// What a variable's name and value may be: the rules of the API (src/model/env_var.rs), told before the round trip.

/** Longest value in bytes. */
const MAX_VALUE_BYTES = 128 * 1024 - 257

/** Why a name is not allowed; null when it is. */
export function keyFault(key: string): string | null {
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,254}$/.test(key)) {
    return 'Use letters, digits and _, not beginning with a digit, 255 characters at most.'
  }
  return isReserved(key) ? 'PORT and names beginning with DHOW_ are set by Dhow itself.' : null
}

/** Whether Dhow itself sets it. */
export function isReserved(key: string): boolean {
  return key === 'PORT' || key.startsWith('DHOW_')
}

/** Why a value is not allowed; null when it is. */
export function valueFault(value: string): string | null {
  if (value.includes('\0')) return 'Leave out the NUL character; no variable can hold one.'
  // A UTF-16 unit is three bytes at most.
  if (value.length * 3 <= MAX_VALUE_BYTES) return null
  const bytes = new TextEncoder().encode(value).length
  return bytes <= MAX_VALUE_BYTES ? null : `It has ${bytes} bytes; the system starts no program with more than ${MAX_VALUE_BYTES} in one variable.`
}
