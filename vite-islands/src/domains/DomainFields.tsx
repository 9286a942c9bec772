// The fields of a domain, as the plain form has them.

import type { ReactNode } from 'react'
import { TLS } from '../api/domains'
import { afterPress } from '../parts/press'
import type { Draft, FieldName } from './draft'
import { aria, Field, Switch } from './Field'
import { SiteUsers } from './SiteUsers'
import type { EditedDraft } from './useDraft'

const TLS_WORDS = { auto: 'automatic', custom: 'own certificate, pasted below', off: 'off, plain http' } as const

export function DomainFields({ form, hasAcme }: { form: EditedDraft; hasAcme: boolean }) {
  const { base, draft, read, stateOf, edit, leave } = form
  const becomes = read.ok && read.host !== draft.host.trim() ? read.host : null
  const plain = { autoComplete: 'off', autoCapitalize: 'none', spellCheck: false, className: 'mono' } as const

  const line = (field: 'host' | 'path_prefix' | 'redirect_to', placeholder: string) => (
    <input
      {...plain}
      {...aria(stateOf(field), true)}
      name={field}
      value={draft[field]}
      placeholder={placeholder}
      inputMode={field === 'path_prefix' ? 'text' : 'url'}
      onChange={(e) => edit({ [field]: e.target.value })}
      onBlur={() => afterPress(() => leave(field))}
    />
  )
  const lines = (field: 'allow_ips' | 'certificate' | 'private_key', rows: number, placeholder: string) => (
    <textarea
      {...plain}
      {...aria(stateOf(field), true)}
      name={field}
      rows={rows}
      value={draft[field]}
      placeholder={placeholder}
      onChange={(e) => edit({ [field]: e.target.value })}
      onBlur={() => afterPress(() => leave(field))}
    />
  )
  const choice = (field: 'strip_prefix' | 'grpc' | 'hsts' | 'plain_health' | 'force', label: string, help: ReactNode) => (
    <Switch {...stateOf(field)} label={label} help={help}>
      <input
        {...aria(stateOf(field), false)}
        type="checkbox"
        name={field}
        checked={draft[field]}
        onChange={(e) => {
          edit({ [field]: e.target.checked })
          leave(field)
        }}
      />
    </Switch>
  )
  const isOpen = (...fields: FieldName[]) => fields.some((field) => isSet(base, field) || stateOf(field).error || stateOf(field).theirs) || undefined

  return (
    <>
      <div className="fields">
        <Field
          {...stateOf('host')}
          label="Host"
          help={
            becomes ? (
              <>
                Becomes <code>{becomes}</code>.
              </>
            ) : (
              <>
                Point its DNS at this machine first. <code>*.example.org</code> is every host with one label more.
              </>
            )
          }
        >
          {line('host', 'shop.example.org')}
        </Field>
        <Field {...stateOf('path_prefix')} label="Path" help={<><code>/</code> is the whole host.</>}>
          {line('path_prefix', '/')}
        </Field>
        <Field
          {...stateOf('tls')}
          label="HTTPS"
          help={hasAcme ? 'A certificate where one can be had.' : <>Plain http until Dhow is started with <code>--acme-email</code>.</>}
        >
          <select {...aria(stateOf('tls'), true)} name="tls" value={draft.tls} onChange={(e) => edit({ tls: TLS.find((t) => t === e.target.value) ?? 'auto' })}>
            {(['auto', 'custom', 'off'] as const).map((tls) => (
              <option key={tls} value={tls}>
                {TLS_WORDS[tls]}
              </option>
            ))}
          </select>
        </Field>
      </div>
      <details className="more" open={isOpen('redirect_to', 'strip_prefix', 'grpc')}>
        <summary>Redirect, path, gRPC</summary>
        <div className="form">
          <Field
            {...stateOf('redirect_to')}
            label="Redirect to"
            help="Requests for the host above go to this one instead of being served, path and query kept."
          >
            {line('redirect_to', 'www.example.org')}
          </Field>
          {choice('strip_prefix', 'Leave the path out', <>The app is asked for <code>/x</code> where the visitor asks for <code>/shop/x</code></>)}
          {choice('grpc', 'gRPC', 'The app is spoken to in HTTP/2 without TLS (h2c), which programs that expect HTTP/1.1 do not understand')}
        </div>
      </details>
      <details className="more" open={isOpen('certificate', 'private_key', 'force', 'hsts', 'plain_health') || draft.tls === 'custom' || undefined}>
        <summary>HTTPS, own certificate</summary>
        <div className="form">
          {choice('hsts', 'HTTPS only', 'Browsers that have been here use no plain http for a year, not even when you turn HTTPS off')}
          {choice('plain_health', 'Health path over plain http', 'For a check from outside that follows no redirect')}
          {choice(
            'force',
            'Ask for a certificate anyway',
            'Although the DNS does not lead here, for example behind a proxy; an authority allows a few failures an hour',
          )}
          <Field {...stateOf('certificate')} label="Certificate" help="PEM, the host's own first, then those that signed it.">
            {lines('certificate', 4, '-----BEGIN CERTIFICATE-----')}
          </Field>
          <Field {...stateOf('private_key')} label="Private key" help="PEM without passphrase. Sealed, and never shown again.">
            {lines('private_key', 4, base.certificate === '' ? '-----BEGIN PRIVATE KEY-----' : 'Kept. Paste to replace it.')}
          </Field>
        </div>
      </details>
      <details className="more" open={isOpen('allow_ips', 'basic_auth') || Object.keys(form.refused).some((field) => field.startsWith('basic_auth')) || undefined}>
        <summary>Who may open it</summary>
        <div className="form">
          <Field {...stateOf('allow_ips')} label="Allowed addresses" help="Addresses or networks, one a line; others get 403. Left empty, everybody may.">
            {lines('allow_ips', 2, '203.0.113.0/24')}
          </Field>
          <SiteUsers
            id={stateOf('basic_auth').id}
            users={draft.basic_auth}
            kept={new Set(base.basic_auth.map(({ user }) => user))}
            errors={form.refused}
            onChange={(basic_auth) => edit({ basic_auth })}
          />
        </div>
      </details>
    </>
  )
}

function isSet(draft: Draft, field: FieldName): boolean {
  const value = draft[field]
  return typeof value === 'boolean' ? value : value.length > 0
}
