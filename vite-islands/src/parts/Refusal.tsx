// Why Dhow did not do what was asked, for whatever belongs to no field.

import type { Problem } from '../api/client'

export function Refusal({ problem }: { problem: Problem }) {
  return (
    <section className="notice notice-bad" role="alert">
      <h2>{problem.title}</h2>
      {problem.detail && <p>{problem.detail}</p>}
      {problem.status === 401 && (
        <p>
          <a href="/login" target="_blank" rel="noreferrer">
            Sign in in another tab
          </a>
          , then save again here.
        </p>
      )}
      {problem.errors.map(({ message }) => (
        <p key={message}>{message}</p>
      ))}
    </section>
  )
}
