import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'

interface Props { class: string; count: number; own: boolean; onEnd(at: boolean): void; children: ComponentChildren }
/**
 * A conversation that stays at its end. Whoever has scrolled up is not pulled down by others' words, and is
 * told of them; his own words bring him back. The list runs from below (column-reverse): its end is 0.
 */
export function Log(p: Props) {
  const box = useRef<HTMLDivElement>(null)
  const known = useRef(p.count)
  const [away, setAway] = useState(false)
  const [news, setNews] = useState(0)
  const toEnd = () => { if (box.current) box.current.scrollTop = 0 }
  useLayoutEffect(() => {
    const more = p.count - known.current
    known.current = p.count
    if (more <= 0 || !away) return
    if (p.own) toEnd()
    else setNews(n => n + more)
  }, [p.count])
  const scrolled = () => {
    const at = (box.current?.scrollTop ?? 0) > -40
    if (at === !away) return
    setAway(!at)
    if (at) setNews(0)
    p.onEnd(at)
  }
  return (
    <div class="log">
      <div ref={box} class={p.class} tabIndex={0} role="log" aria-live="polite" aria-label="Conversation" onScroll={scrolled}>{p.children}</div>
      {away && news > 0 && <button class="button log__news" type="button" onClick={toEnd}>{news} new {news === 1 ? 'message' : 'messages'} below</button>}
    </div>
  )
}
