import { signal } from '@preact/signals'
import { useEffect, useRef, useState } from 'preact/hooks'
import { call, Problem } from './api'
import { dropped, size, upload, type Uploaded } from './upload'

/** The chat's token, where no cookie says who is reading. */
export const fileToken = signal('')
const address = /^\/api\/v1\/uploads\/([0-9a-f-]{36})$/

async function bytes(path: string): Promise<Blob | null> {
  const res = await fetch(path, fileToken.value ? { headers: { Authorization: `Bearer ${fileToken.value}` } } : {}).catch(() => null)
  return res?.ok ? res.blob() : null
}

/** A line of a message that is a file's address; null for other lines. */
export function fileOf(line: string): string | null { return address.exec(line)?.[1] ?? null }

/** A file in a conversation: its picture, if it has one, and a way to save it. */
export function FileCard({ id, name }: { id: string; name: string }) {
  const [picture, setPicture] = useState('')
  useEffect(() => {
    let url = ''
    let gone = false
    if (/\.(png|jpe?g|gif|webp)\b/i.test(name)) void bytes(`/api/v1/uploads/${id}/preview`).then(b => { if (b && !gone) { url = URL.createObjectURL(b); setPicture(url) } })
    return () => { gone = true; if (url) URL.revokeObjectURL(url) }
  }, [id])
  const save = async () => {
    const b = await bytes(`/api/v1/uploads/${id}`)
    if (!b) return
    const a = document.createElement('a')
    a.href = URL.createObjectURL(b)
    a.download = name.replace(/, [\d.]+ (B|KiB|MiB)$/, '')
    a.click()
    setTimeout(() => URL.revokeObjectURL(a.href), 10_000)
  }
  return <button class="file" type="button" onClick={() => void save()} title={`Save ${name}`}>{picture && <img src={picture} alt="" />}<span>{name || 'File'}</span></button>
}

interface Sending { key: number; name: string; done: number; wrong: string; stop: AbortController }
let keys = 0

/** Gives a file to a chat and says so in it. */
export async function intoChat(chat: string, up: Uploaded, say: (body: string) => void): Promise<void> {
  await call(`/chats/${chat}/files`, { body: { uploads: [up.id] }, token: fileToken.value })
  say(`${up.name}, ${size(up.size)}\n/api/v1/uploads/${up.id}`)
}

/** Sends files: chosen, dropped or pasted, each with its progress and a way to cancel. */
export function Attach({ place, onFile }: { place: string; onFile(up: Uploaded): Promise<void> | void }) {
  const [list, setList] = useState<Sending[]>([])
  const input = useRef<HTMLInputElement>(null)
  const change = (key: number, p: Partial<Sending> | null) => setList(l => p ? l.map(s => s.key === key ? { ...s, ...p } : s) : l.filter(s => s.key !== key))
  const take = async (file: File) => {
    const one: Sending = { key: keys++, name: file.name || 'picture.png', done: 0, wrong: '', stop: new AbortController() }
    setList(l => [...l, one])
    try {
      const up = await upload(file, done => change(one.key, { done }), one.stop.signal)
      await onFile(up)
      change(one.key, null)
    } catch (e) {
      if (one.stop.signal.aborted) change(one.key, null)
      else change(one.key, { wrong: e instanceof Problem ? e.message : 'It could not be sent.' })
    }
  }
  useEffect(() => {
    const all = (e: Event, files: File[]) => { if (files.length) { e.preventDefault(); for (const f of files) void take(f) } }
    const over = (e: DragEvent) => e.preventDefault()
    const drop = (e: DragEvent) => all(e, dropped(e.dataTransfer))
    const paste = (e: ClipboardEvent) => all(e, dropped(e.clipboardData))
    document.addEventListener('dragover', over)
    document.addEventListener('drop', drop)
    document.addEventListener('paste', paste)
    return () => { document.removeEventListener('dragover', over); document.removeEventListener('drop', drop); document.removeEventListener('paste', paste) }
  }, [place])
  return (
    <>
      <button class="button" data-kind="plain" type="button" onClick={() => input.current?.click()}>Attach</button>
      <input ref={input} class="unseen" type="file" multiple tabIndex={-1} aria-label="Files" onChange={e => { for (const f of e.currentTarget.files ?? []) void take(f); e.currentTarget.value = '' }} />
      {list.length > 0 && <ul class="sending">{list.map(s => <li key={s.key}>{s.wrong ? <span class="wrong" role="alert">{s.name}: {s.wrong}</span> : <><span>{s.name}</span><progress value={s.done} max={1} aria-label={`Sending ${s.name}`} /></>}
        <button class="link" type="button" aria-label={`Remove ${s.name}`} onClick={() => { s.stop.abort(); change(s.key, null) }}>Remove</button></li>)}</ul>}
    </>
  )
}
