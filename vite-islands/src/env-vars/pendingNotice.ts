// The page's notice of what is not live yet, as Dhow renders it: after a save it says something else.

export async function refreshPending(place: HTMLElement): Promise<void> {
  const answer = await fetch(location.pathname, { credentials: 'same-origin' }).catch(() => null)
  if (!answer?.ok) return
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
  const next = page.getElementById('pending')
  const now = document.getElementById('pending')
  if (next && now) now.replaceWith(next)
  else if (next) place.before(next)
  else now?.remove()
}
