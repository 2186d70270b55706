import { call, Problem } from './api'

export interface Found { os?: string; os_version?: string; app_version?: string; devices?: string[] }
export interface Uploaded { id: string; name: string; size: number; media_type: string; preview: boolean; found: Found }
interface Begun { id: string; part_size: number; parts: number }

export const maxEach = 100 * 2 ** 20
const wait = (ms: number) => new Promise(done => setTimeout(done, ms))

/**
 * Sends a file in parts. After a cut it goes on with what is missing, for as long as the page lives;
 * progress runs from 0 to 1.
 */
export async function upload(file: File, progress: (done: number) => void, stop: AbortSignal): Promise<Uploaded> {
  if (file.size > maxEach) throw new Problem(413, 'too_large', `${file.name} is larger than 100 MiB.`, [], {})
  const begun = await patient(() => call<Begun>('/uploads/parts', { body: { name: file.name || 'picture.png', size: file.size } }), stop)
  for (let n = 0; n < begun.parts; n++) {
    const part = file.slice(n * begun.part_size, (n + 1) * begun.part_size)
    await patient(() => put(`/api/v1/uploads/${begun.id}/parts/${n}`, part, stop), stop)
    progress((n + 1) / begun.parts)
  }
  return patient(() => call<Uploaded>(`/uploads/${begun.id}/done`, { method: 'POST', body: {} }), stop)
}

/** Tries again while the line is cut or the server is busy; what is wrong with the file is final. */
async function patient<T>(f: () => Promise<T>, stop: AbortSignal): Promise<T> {
  for (let pause = 500; ; pause = Math.min(pause * 2, 10_000)) {
    stop.throwIfAborted()
    try { return await f() } catch (e) {
      if (!(e instanceof Problem) || (e.status !== 0 && e.status !== 503 && e.status !== 429)) throw e
      await wait(pause)
    }
  }
}

async function put(url: string, body: Blob, stop: AbortSignal): Promise<void> {
  let res: Response
  try { res = await fetch(url, { method: 'PUT', body, signal: stop, headers: { 'Content-Type': 'application/octet-stream' } }) } catch (e) {
    stop.throwIfAborted()
    throw new Problem(0, 'offline', String(e), [], {})
  }
  if (!res.ok) {
    const doc = await res.json().catch(() => ({}))
    throw new Problem(res.status, doc.code ?? 'internal', doc.detail ?? 'The file could not be sent.', doc.errors ?? [], doc)
  }
}

export function size(bytes: number): string {
  return bytes < 1024 ? `${bytes} B` : bytes < 2 ** 20 ? `${Math.round(bytes / 1024)} KiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`
}

/** The files that somebody drops or pastes. */
export function dropped(d: DataTransfer | null): File[] { return d ? [...d.files] : [] }
