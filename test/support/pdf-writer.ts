// Writes small PDFs: texts at places of pages, in Helvetica, Helvetica bold or a Japanese font that readers bring themselves. Test
// helper; knows no layout.

import { deflateSync } from 'node:zlib'

export interface PlacedText {
  /** From the left, in points. */
  x: number
  /** Baseline from the top, in points. */
  y: number
  text: string
  size?: number
  font?: 'plain' | 'bold' | 'japanese'
}
export interface PdfOptions {
  /** Extra entries of the trailer, e.g. an encryption dictionary. */
  trailer?: string
  /** Replaces the content stream of the first page. */
  content?: Buffer
  compressed?: boolean
}

const width = 595
const height = 842
const fonts = [
  '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>',
  '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>',
  '<< /Type /Font /Subtype /Type0 /BaseFont /HeiseiKakuGo-W5 /Encoding /UniJIS-UTF16-H /DescendantFonts [<< /Type /Font /Subtype /CIDFontType0 /BaseFont /HeiseiKakuGo-W5 /CIDSystemInfo << /Registry (Adobe) /Ordering (Japan1) /Supplement 2 >> /DW 1000 /FontDescriptor << /Type /FontDescriptor /FontName /HeiseiKakuGo-W5 /Flags 4 /FontBBox [0 -200 1000 900] /ItalicAngle 0 /Ascent 859 /Descent -140 /CapHeight 800 /StemV 80 >> >>] >>',
]

/** A PDF of A4 pages. */
export function writePdf(pages: readonly (readonly PlacedText[])[], options: PdfOptions = {}): Buffer {
  const pageIds = pages.map((_, at) => 6 + 2 * at)
  const objects: Buffer[] = [
    Buffer.from('<< /Type /Catalog /Pages 2 0 R >>'),
    Buffer.from(`<< /Type /Pages /Count ${pages.length} /Kids [${pageIds.map((id) => `${id} 0 R`).join(' ')}] >>`),
    ...fonts.map((font) => Buffer.from(font)),
    ...pages.flatMap((texts, at) =>
      pageObjects(texts, pageIds[at] ?? 0, at === 0 ? options : { ...options, content: undefined as never }),
    ),
  ]
  const parts: Buffer[] = [Buffer.from('%PDF-1.7\n%\u00e2\u00e3\u00cf\u00d3\n', 'latin1')]
  const offsets: number[] = []
  let length = parts[0]?.length ?? 0
  objects.forEach((object, at) => {
    const part = Buffer.concat([Buffer.from(`${at + 1} 0 obj\n`), object, Buffer.from('\nendobj\n')])
    offsets.push(length)
    parts.push(part)
    length += part.length
  })
  const table = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('')
  const trailer = `<< /Size ${objects.length + 1} /Root 1 0 R ${options.trailer ?? ''} >>`
  parts.push(
    Buffer.from(
      `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${table}trailer\n${trailer}\nstartxref\n${length}\n%%EOF\n`,
    ),
  )
  return Buffer.concat(parts)
}

function pageObjects(texts: readonly PlacedText[], id: number, { content, compressed = true }: PdfOptions): Buffer[] {
  const page = `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 ${width} ${height}] /Contents ${id + 1} 0 R /Resources << /Font << /F1 3 0 R /F2 4 0 R /F3 5 0 R >> >> >>`
  const drawn = Buffer.from(texts.map(draw).join('\n'), 'latin1')
  const stream = content ?? (compressed ? deflateSync(drawn) : drawn)
  const filter = compressed ? '/Filter /FlateDecode ' : ''
  return [
    Buffer.from(page),
    Buffer.concat([
      Buffer.from(`<< ${filter}/Length ${stream.length} >>\nstream\n`),
      stream,
      Buffer.from('\nendstream'),
    ]),
  ]
}

function draw({ x, y, text, size = 11, font = 'plain' }: PlacedText): string {
  const name = { plain: 'F1', bold: 'F2', japanese: 'F3' }[font]
  const shown =
    font === 'japanese'
      ? `<${Buffer.from(text, 'utf16le').swap16().toString('hex')}>`
      : `(${text.replace(/[\\()]/g, '\\$&')})`
  return `BT /${name} ${size} Tf 1 0 0 1 ${x} ${height - y} Tm ${shown} Tj ET`
}

/** Lines of a paragraph one below the other. */
export function linesAt(
  [x, y]: [x: number, y: number],
  lines: readonly string[],
  style: Pick<PlacedText, 'size' | 'font'> = {},
): PlacedText[] {
  return lines.map((text, at) => ({ x, y: y + at * 1.25 * (style.size ?? 11), text, ...style }))
}
