// A press takes the keyboard from a field before it becomes a click. What leaving the field shows waits for that click:
// it would move the button away from under the pointer, and the click would be lost.

let isPressed = false
const set = (is: boolean) => () => (isPressed = is)
document.addEventListener('pointerdown', set(true), true)
document.addEventListener('pointerup', set(false), true)
document.addEventListener('pointercancel', set(false), true)

export function afterPress(act: () => void): void {
  if (!isPressed) return act()
  const once = { once: true }
  document.addEventListener('pointerup', () => setTimeout(act), once)
}
