import { useEffect, useState } from 'preact/hooks'
import { call, Problem } from '../lib/api'
import { longSpan, span } from '../lib/time'
import type { Chat } from '../lib/types'
import type { Escalation } from './escalation'
import { clockTick, news, queue, screen, show, slowTick, staff, ticket } from './store'

/** What a manager looks at all day: who waits, who is on duty with how many, what is late. It is live. */
export function Board() {
  const [chats, setChats] = useState<Chat[]>([])
  const [counts, setCounts] = useState<Record<string, number>>({})
  const [escalations, setEscalations] = useState<(Escalation & { ticket: number })[]>([])
  const [failed, setFailed] = useState('')
  const load = async () => {
    try {
      const [c, n, open, accepted] = await Promise.all([
        call<{ chats: Chat[] }>('/chats?state=active'), call<Record<string, number>>('/tickets/counts'),
        call<{ escalations: typeof escalations }>('/escalations?state=open'), call<{ escalations: typeof escalations }>('/escalations?state=accepted'),
      ])
      setChats(c.chats)
      setCounts(n)
      setEscalations([...open.escalations, ...accepted.escalations].sort((a, b) => (a.due_at ?? '').localeCompare(b.due_at ?? '')))
      setFailed('')
    } catch (e) { setFailed((e as Problem).message) }
  }
  useEffect(() => { void load() }, [staff.value, queue.value, news.value, slowTick.value])
  const duty = staff.value.filter(m => m.state !== 'offline')
  const longest = queue.value.length ? Math.max(...queue.value.map(c => clockTick.value - Date.parse(c.waiting_since))) : 0
  const room = duty.filter(m => m.state === 'online').reduce((n, m) => n + m.capacity - m.active, 0)
  const to = (where: typeof screen.value, number: number | null = null) => { ticket.value = number; screen.value = where }
  return (
    <main class="board pane">
      <h1 class="unseen">Board</h1>
      {failed && <p class="notice" data-tone="late" role="alert">{failed} <button class="button" onClick={() => void load()}>Try again</button></p>}
      <div class="figures">
        <Figure n={queue.value.length} what="wait" late={longest > 120_000} run={() => to('chats')} />
        <Figure n={longest ? span(longest) : '–'} what="is the longest wait" late={longest > 120_000} run={() => to('chats')} />
        <Figure n={chats.length} what={chats.length === 1 ? 'chat goes on' : 'chats go on'} run={() => to('chats')} />
        <Figure n={room} what="more chats have room" late={room <= 0 && queue.value.length > 0} run={() => to('chats')} />
        <Figure n={counts['late'] ?? 0} what="promised updates are late" late={(counts['late'] ?? 0) > 0} run={() => to('tickets')} />
        <Figure n={counts['unassigned'] ?? 0} what="tickets are nobody’s" run={() => to('tickets')} />
        <Figure n={escalations.length} what="escalations are open" late={escalations.some(e => e.due_at && Date.parse(e.due_at) < slowTick.value)} run={() => to('tickets', escalations[0]?.ticket ?? null)} />
      </div>
      <section aria-label="On duty"><h2>On duty</h2>
        {duty.length === 0 && <p class="quiet">Nobody. The help page says so, and leads to the ticket form.</p>}
        <ul>{duty.map(m => (
          <li key={m.id}><p><span class="dot" data-is={m.state} aria-hidden="true" /> <strong>{m.name}</strong> <span class="quiet">{m.state}, {m.active} of {m.capacity}</span></p>
            <p class="meter" aria-hidden="true">{Array.from({ length: Math.max(m.capacity, m.active) }, (_, i) => <i data-full={String(i < m.active)} />)}</p>
            <ul>{chats.filter(c => c.champion?.id === m.id).map(c => <li key={c.id}><button class="row" onClick={() => { show(c.id); screen.value = 'chats' }} title="Look on; nobody sees it"><span class="row__name">{c.customer.name}</span><span class="quiet">{c.customer.online ? '' : 'away'}</span><span class="row__last">{c.preview || c.question}</span></button></li>)}</ul></li>
        ))}</ul></section>
      <section aria-label="Waiting"><h2>Waiting</h2>
        {queue.value.length === 0 && <p class="quiet">Nobody waits.</p>}
        <ul>{queue.value.map(c => <li key={c.id}><button class="row" onClick={() => { show(c.id); screen.value = 'chats' }}><span class="row__name">{c.customer.name}</span><span class="row__time" data-late={String(clockTick.value - Date.parse(c.waiting_since) > 120_000)}>{span(clockTick.value - Date.parse(c.waiting_since))}</span><span class="row__last">{c.question}</span></button></li>)}</ul></section>
      <section aria-label="Escalations"><h2>Escalations</h2>
        {escalations.length === 0 && <p class="quiet">Nobody has asked for a manager.</p>}
        <ul>{escalations.map(e => {
          const left = e.due_at ? Date.parse(e.due_at) - slowTick.value : 0
          return <li key={e.id}><button class="row" onClick={() => to('tickets', e.ticket)}><span class="row__name">{e.ticket} · {e.asked_by}</span><span class="row__time" data-late={String(left < 0)}>{e.due_at ? (left < 0 ? `late by ${longSpan(-left)}` : `${longSpan(left)} left`) : ''}</span><span class="row__last">{e.state === 'accepted' ? `${e.manager ?? 'Somebody'} looks after it: ` : ''}{e.reason}</span></button></li>
        })}</ul></section>
    </main>
  )
}

function Figure({ n, what, late, run }: { n: number | string; what: string; late?: boolean; run(): void }) {
  return <button class="figure" data-late={String(!!late)} onClick={run}><strong>{n}</strong><span>{what}</span></button>
}
