import { describe, expect, it } from 'vitest'
import { type Element, type Grammar, parseGrammar } from '../../main/domain/gbnf.ts'
import { GrammarTracker } from '../../main/domain/grammar-state.ts'
import { promptStages, stageGrammar } from '../../main/domain/prompts.ts'

const json = `root   ::= object
value  ::= object | array | string | number | ("true" | "false" | "null") ws
object ::= "{" ws ( string ":" ws value ("," ws string ":" ws value)* )? "}" ws
array  ::= "[" ws ( value ("," ws value)* )? "]" ws
string ::=
  "\\"" (
    [^"\\\\\\x7F\\x00-\\x1F] |
    "\\\\" (["\\\\bfnrt] | "u" [0-9a-fA-F]{4}) # escapes
  )* "\\"" ws
number ::= ("-"? ([0-9] | [1-9] [0-9]{0,15})) ("." [0-9]+)? ws
# Optional space
ws ::= | " " | "\\n" [ \\t]{0,20}`

const trackerOf = (source: string) => new GrammarTracker(parseGrammar(source))
const after = (source: string, text: string) => {
  const tracker = trackerOf(source)
  return tracker.advance(tracker.start(), text)
}
const accepts = (source: string, text: string) => after(source, text)?.canEnd ?? false

/** A seeded walk through a grammar: one of its texts. */
function textOf(grammar: Grammar, random: () => number, depth = 0): string {
  const write = (element: Element, level: number): string => {
    if (element.kind === 'chars') {
      const [from = 0, to = 0] = element.ranges[Math.floor(random() * element.ranges.length)] ?? []
      const sign = element.isNegated ? 'x'.codePointAt(0)! : from + Math.floor(random() * Math.min(40, to - from + 1))
      return String.fromCodePoint(sign)
    }
    const alternatives = grammar.rules[element.rule]!
    const chosen = level > 12 ? alternatives.at(-1)! : alternatives[Math.floor(random() * alternatives.length)]!
    return chosen.map((inner) => write(inner, level + 1)).join('')
  }
  return write({ kind: 'rule', rule: grammar.root }, depth)
}
function seeded(seed: number): () => number {
  let state = seed
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32
}

describe('the form of a stage', () => {
  it('has no field of blanks alone, whatever counts as one', () => {
    const blanks = Array.from({ length: 0x10000 }, (_, code) => String.fromCharCode(code)).filter(
      (sign) => sign.trim() === '',
    )
    expect(blanks.length).toBeGreaterThan(20)
    for (const blank of blanks) {
      const shown = JSON.stringify(blank)
      expect(accepts(stageGrammar('knowledge-qa'), `Question: q\nAnswer: ${blank}`), shown).toBe(false)
      expect(after(stageGrammar('knowledge-qa'), `Question: ${blank}`)?.stacks ?? [], shown).toEqual([])
    }
    expect(accepts(stageGrammar('knowledge-qa'), 'Question: q\nAnswer: a\u3000b')).toBe(true)
  })
})

describe('a grammar', () => {
  it.each([
    ['root ::= "a" | "bc"', ['a', 'bc'], ['', 'b', 'ac']],
    ['root ::= [a-c]+ "!"?', ['a', 'cab!'], ['', '!', 'a!!']],
    ['root ::= x{2,3}\nx ::= "ab"', ['abab', 'ababab'], ['ab', 'abababab']],
    ['root ::= "ab"{2}', ['abab'], ['abb']],
    ['root ::= "ab"*', ['', 'abab'], ['aba']],
    ['root ::= [^\\n\\x41-]', ['b', '鳥', '🐦'], ['A', '-', '\n', 'bb']],
    ['root ::= ("a" |\n "b")* "\\u00e9"', ['é', 'abé'], ['e']],
    ['root ::= . "\\"" # anything', ['x"', '\n"'], ['"', 'xx"']],
    [json, ['{}', '{"a": [1, {"b": "c\\n"}]}'], ['{', '{"a"}', '[]']],
  ])('%s admits what it says', (source, good, bad) => {
    for (const text of good) expect([text, accepts(source, text)]).toEqual([text, true])
    for (const text of bad) expect([text, accepts(source, text)]).toEqual([text, false])
  })
  it.each(['root ::= (', 'a ::= "x"', 'root ::= b', 'root ::= "x', 'root ::= *', 'root ::= <[5]>', 'root ::= a{3'])(
    '%s is refused',
    (source) => expect(() => parseGrammar(source)).toThrow(/The grammar cannot be read/),
  )
})

describe('the shortest ending', () => {
  it('of a line form ends the line, writes the labels and leaves the verdict open', () => {
    const tracker = trackerOf(stageGrammar('knowledge-faithful'))
    const state = tracker.advance(tracker.start(), 'Quote: half a sen')!
    const { source, maxBytes } = tracker.closing(state)
    expect(accepts(source, '\nVerdict: YES')).toBe(true)
    expect(accepts(source, '\nVerdict: NO')).toBe(true)
    expect(accepts(source, 'tence and so on\nVerdict: NO')).toBe(false)
    expect(maxBytes).toBeLessThanOrEqual(20)
  })
  it('of a text that may end is nothing', () => {
    const tracker = trackerOf('root ::= [a-z]+')
    expect(tracker.closing(tracker.advance(tracker.start(), 'abc')!).maxBytes).toBe(0)
  })
  it.each([{ name: 'json', source: json }, ...promptStages.map((name) => ({ name, source: stageGrammar(name) }))])(
    'completes any beginning of any text of $name within its bytes',
    ({ source }) => {
      const grammar = parseGrammar(source)
      const tracker = new GrammarTracker(grammar)
      for (let seed = 1; seed <= 60; seed++) {
        const random = seeded(seed)
        const whole = Array.from(textOf(grammar, random))
        const beginning = whole.slice(0, Math.floor(random() * (whole.length + 1))).join('')
        const state = tracker.advance(tracker.start(), beginning)
        expect(state).not.toBeNull()
        const { source: closing, maxBytes } = tracker.closing(state!)
        const ending = textOf(parseGrammar(closing), random)
        expect(Buffer.byteLength(ending)).toBeLessThanOrEqual(maxBytes)
        expect([beginning, ending, tracker.advance(state!, ending)?.canEnd]).toEqual([beginning, ending, true])
      }
    },
  )
})
