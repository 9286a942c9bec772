// What a variable's name and value may be: the rules of the API (src/model/env_var.rs), told before the round trip.

/** Longest value in bytes; the system allows no more. */
const MAX_VALUE_BYTES = 128 * 1024 - 257

/** Why a name is not allowed; null when it is. */
export function keyFault(key: string): string | null {
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,254}$/.test(key)) {
    return 'Use letters, digits and _, not beginning with a digit, 255 characters at most.'
  }
  return key === 'PORT' || key.startsWith('DHOW_') ? 'PORT and names beginning with DHOW_ are set by Dhow itself.' : null
}

/** Why a value is not allowed; null when it is. */
export function valueFault(value: string): string | null {
  const isFine = !value.includes('\0') && (value.length * 3 <= MAX_VALUE_BYTES || new TextEncoder().encode(value).length <= MAX_VALUE_BYTES)
  return isFine ? null : 'Use at most 127 KiB of text without NUL characters; the system allows no more.'
}
