// Whether a text is well-formed XML, in one pass over it: parsers that recover from errors can take minutes over a broken text. Refuses
// document types too, which office files never have and entity bombs need.

const mostDepth = 500
const name = /[A-Za-z_:][\w:.-]*/y
const attribute = /\s+[A-Za-z_:][\w:.-]*\s*=\s*(?:"[^"<]*"|'[^'<]*')/y

/** @throws SyntaxError where the text is no well-formed XML, RangeError where it is nested too deeply */
export function checkXml(text: string): void {
  const open: string[] = []
  let hasRoot = false
  for (let at = text.indexOf('<'); at >= 0; at = text.indexOf('<', at)) {
    const skipped = skipSpecial(text, at)
    if (skipped !== null) {
      at = skipped
      continue
    }
    const tag = readTag(text, at)
    at = tag.end
    if (tag.kind === 'close' && open.pop() !== tag.name) throw broken(at, `</${tag.name}> closes nothing`)
    if (tag.kind !== 'close' && open.length === 0 && hasRoot) throw broken(at, 'a second root')
    if (tag.kind === 'open') open.push(tag.name)
    if (open.length > mostDepth) throw new RangeError('Maximum call stack: elements are nested too deeply')
    hasRoot = true
  }
  if (open.length > 0 || !hasRoot) throw broken(text.length, 'an element is not closed')
}

/** The end of a comment, a CDATA section or an instruction that begins here; null when none does. */
function skipSpecial(text: string, at: number): number | null {
  const kinds = [
    ['<!--', '-->'],
    ['<![CDATA[', ']]>'],
    ['<?', '?>'],
  ] as const
  const [begin, end] = kinds.find(([mark]) => text.startsWith(mark, at)) ?? []
  if (begin === undefined) return null
  const close = text.indexOf(end as string, at + begin.length)
  if (close < 0) throw broken(at, `${begin} has no end`)
  return close + (end as string).length
}

function readTag(text: string, at: number): { kind: 'open' | 'close' | 'empty'; name: string; end: number } {
  const isClose = text[at + 1] === '/'
  name.lastIndex = at + (isClose ? 2 : 1)
  const found = name.exec(text)?.[0]
  if (found === undefined) throw broken(at, 'a tag has no name')
  let end = name.lastIndex
  if (!isClose) {
    attribute.lastIndex = end
    while (attribute.test(text)) end = attribute.lastIndex
  }
  while (/\s/.test(text[end] ?? '')) end++
  const isEmpty = !isClose && text.startsWith('/>', end)
  if (!isEmpty && text[end] !== '>') throw broken(end, `<${found} has no end`)
  return { kind: isClose ? 'close' : isEmpty ? 'empty' : 'open', name: found, end: end + (isEmpty ? 2 : 1) }
}

function broken(at: number, what: string): SyntaxError {
  return new SyntaxError(`not well-formed XML at ${at}: ${what}`)
}
