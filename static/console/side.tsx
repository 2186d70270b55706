import { useEffect, useState } from 'preact/hooks'
import { call } from '../lib/api'
import { clock, day } from '../lib/time'
import type { Chat } from '../lib/types'
import { current, screen, slowTick, ticket } from './store'

interface Context { chats: Chat[]; tickets: { number: number; subject: string; status: string }[]; customer: { verified: boolean; user_agent: string; page_url: string; timezone: string } }

export function Side() {
  const c = current.value
  const [context, setContext] = useState<Context | null>(null)
  useEffect(() => {
    setContext(null)
    let here = true
    if (c) call<Context>(`/chats/${c.id}/context`).then(x => { if (here) setContext(x) }, () => undefined)
    return () => { here = false }
  }, [c?.id, c?.ticket])
  if (!c) return <aside class="pane side" aria-label="Customer" />
  return (
    <aside class="pane side" aria-label="Customer">
      <h2>{c.customer.name}</h2>
      <dl><dt>E-mail</dt><dd>{c.customer.email} {context && !context.customer.verified && <span class="quiet">(not verified)</span>}</dd>
        <dt>Product</dt><dd>{c.product || '–'}</dd>
        {c.page_url && <><dt>Page</dt><dd>{c.page_url}</dd></>}
        {context?.customer.timezone && <><dt>Local time</dt><dd>{clock(slowTick.value, context.customer.timezone)}, {context.customer.timezone.replace('_', ' ')}</dd></>}
        <dt>Began</dt><dd>{day(c.created_at)}</dd>
        {c.ticket && <><dt>Ticket</dt><dd><button class="link" onClick={() => { ticket.value = c.ticket; screen.value = 'tickets' }}>{c.ticket}</button></dd></>}</dl>
      <h2>Former tickets</h2>
      <ul>{context?.tickets.map(t => <li><button class="link" onClick={() => { ticket.value = t.number; screen.value = 'tickets' }}>{t.number} · {t.subject}</button> <span class="badge" data-is={t.status}>{t.status}</span></li>)}{context?.tickets.length === 0 && <li class="quiet">None.</li>}</ul>
      <h2>Former chats</h2>
      <ul>{context?.chats.map(x => <li>{day(x.created_at)}: {x.question.slice(0, 60)}</li>)}{context?.chats.length === 0 && <li class="quiet">None.</li>}</ul>
    </aside>
  )
}
