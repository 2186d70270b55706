export interface FieldError { field: string; detail: string }
/** A problem document of the server (RFC 9457), or a connection that failed. */
export class Problem extends Error {
  constructor(readonly status: number, readonly code: string, detail: string, readonly errors: FieldError[], readonly doc: Record<string, unknown>) { super(detail) }
  /** Refused for good: what is sent next is another request, and has a key of its own. */
  get refused(): boolean { return this.status >= 400 && this.status < 500 }
  field(name: string): string | undefined { return this.errors.find(e => e.field === name)?.detail }
}
export interface Options { body?: unknown; token?: string; key?: string; method?: string }

/** Calls the REST surface; throws a Problem. */
export async function call<T>(path: string, o: Options = {}): Promise<T> {
  const headers: Record<string, string> = {}
  if (o.body !== undefined) headers['Content-Type'] = 'application/json'
  if (o.token) headers['Authorization'] = `Bearer ${o.token}`
  if (o.key) headers['Idempotency-Key'] = o.key
  let res: Response
  try {
    res = await fetch(`/api/v1${path}`, { method: o.method ?? (o.body === undefined ? 'GET' : 'POST'), headers, body: o.body === undefined ? null : JSON.stringify(o.body) })
  } catch {
    throw new Problem(0, 'offline', 'No connection. What you wrote is kept; try again.', [], {})
  }
  const doc = res.status === 204 ? {} : await res.json().catch(() => ({}))
  if (!res.ok) throw new Problem(res.status, doc.code ?? 'internal', doc.detail ?? 'Something went wrong.', doc.errors ?? [], doc)
  return doc as T
}
