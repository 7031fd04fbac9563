// Grammars as llama.cpp writes them (GBNF), read into rules. Repetitions are written out as rules, as llama.cpp does it, so that a
// grammar is nothing but alternatives of characters and rules. Refuses what names tokens instead of characters.

/** One character: any of the ranges, or any but them. Code points, both ends included. */
export interface CharSet {
  kind: 'chars'
  isNegated: boolean
  ranges: readonly (readonly [number, number])[]
}
export interface RuleUse {
  kind: 'rule'
  rule: number
}
export type Element = CharSet | RuleUse
export interface Grammar {
  /** Each rule's alternatives; an empty one matches nothing. */
  rules: Element[][][]
  root: number
}

/** Most rules that repetitions are written out to; the limit of llama.cpp is of the same size. */
const maxRules = 20_000

/** Reads a grammar. Throws an Error that says where it cannot be read. */
export function parseGrammar(source: string): Grammar {
  return new Parser(source).parse()
}

class Parser {
  readonly #source: string
  readonly #rules: Element[][][] = []
  readonly #names = new Map<string, number>()
  readonly #defined = new Set<number>()
  #at = 0

  constructor(source: string) {
    this.#source = source
  }

  parse(): Grammar {
    this.#skipSpace(true)
    while (this.#at < this.#source.length) this.#rule()
    const root = this.#names.get('root')
    if (root === undefined) throw this.#problem('there is no rule "root"')
    for (const [name, rule] of this.#names)
      if (!this.#defined.has(rule)) throw this.#problem(`the rule "${name}" is missing`)
    return { rules: this.#rules, root }
  }

  #rule(): void {
    const rule = this.#named(this.#name())
    this.#skipSpace(false)
    this.#expect('::=')
    this.#skipSpace(true)
    this.#rules[rule] = this.#alternatives(false)
    this.#defined.add(rule)
    if (this.#at < this.#source.length && !/[\r\n]/.test(this.#here())) throw this.#problem('a new line was expected')
    this.#skipSpace(true)
  }

  #alternatives(isNested: boolean): Element[][] {
    const found = [this.#sequence(isNested)]
    while (this.#here() === '|') {
      this.#at += 1
      this.#skipSpace(true)
      found.push(this.#sequence(isNested))
    }
    return found
  }

  #sequence(isNested: boolean): Element[] {
    const elements: Element[] = []
    /** Where the last symbol starts: what a repetition repeats. */
    let last = 0
    while (this.#at < this.#source.length) {
      const here = this.#here()
      if ('*+?{'.includes(here)) this.#repeat(elements, last)
      else if (here === '"' || here === '[' || here === '.' || here === '(' || /[\w-]/.test(here)) {
        last = elements.length
        elements.push(...this.#symbol())
      } else if (here === '<' || here === '!') throw this.#problem('tokens cannot be named')
      else break
      this.#skipSpace(isNested)
    }
    return elements
  }

  #symbol(): Element[] {
    switch (this.#here()) {
      case '"':
        return this.#literal()
      case '[':
        return [this.#set()]
      case '.':
        this.#at += 1
        return [{ kind: 'chars', isNegated: true, ranges: [] }]
      case '(': {
        this.#at += 1
        this.#skipSpace(true)
        const rule = this.#add(this.#alternatives(true))
        this.#expect(')')
        return [{ kind: 'rule', rule }]
      }
      default:
        return [{ kind: 'rule', rule: this.#named(this.#name()) }]
    }
  }

  #literal(): Element[] {
    this.#at += 1
    const chars: Element[] = []
    while (this.#here() !== '"') {
      const point = this.#char()
      chars.push({ kind: 'chars', isNegated: false, ranges: [[point, point]] })
    }
    this.#at += 1
    return chars
  }

  #set(): CharSet {
    this.#at += 1
    const isNegated = this.#here() === '^'
    if (isNegated) this.#at += 1
    const ranges: [number, number][] = []
    while (this.#here() !== ']') {
      const from = this.#char()
      const isRange = this.#here() === '-' && this.#source[this.#at + 1] !== ']'
      if (isRange) this.#at += 1
      ranges.push([from, isRange ? this.#char() : from])
    }
    this.#at += 1
    return { kind: 'chars', isNegated, ranges }
  }

  /** Replaces what stands from `last` on by its repetition. */
  #repeat(elements: Element[], last: number): void {
    if (elements.length === last) throw this.#problem('there is nothing to repeat')
    const [least, most] = this.#times()
    const repeated = elements.splice(last)
    for (let times = 0; times < least; times++) elements.push(...repeated)
    if (most === Number.POSITIVE_INFINITY) {
      const rule = this.#add([])
      this.#rules[rule] = [[...repeated, { kind: 'rule', rule }], []]
      elements.push({ kind: 'rule', rule })
    } else if (most > least) {
      // x{0,2} is (x (x)?)?: built from the inside.
      let inner: Element[] = []
      for (let times = least; times < most; times++) {
        inner = [{ kind: 'rule', rule: this.#add([[...repeated, ...inner], []]) }]
      }
      elements.push(...inner)
    }
  }

  #times(): [number, number] {
    const sign = this.#here()
    this.#at += 1
    if (sign === '*') return [0, Number.POSITIVE_INFINITY]
    if (sign === '+') return [1, Number.POSITIVE_INFINITY]
    if (sign === '?') return [0, 1]
    const found = /^\s*(\d+)\s*(,?)\s*(\d*)\s*\}/.exec(this.#source.slice(this.#at, this.#at + 40))
    if (!found) throw this.#problem('a number of repetitions was expected')
    this.#at += found[0].length
    const [least, most] = [Number(found[1]), found[3] ? Number(found[3]) : Number.POSITIVE_INFINITY]
    if (most < least || (Number.isFinite(most) ? most : least) > maxRules) throw this.#problem('too many repetitions')
    return [least, found[2] ? most : least]
  }

  #char(): number {
    const point = this.#source.codePointAt(this.#at)
    if (point === undefined) throw this.#problem('it ends inside a text')
    if (point !== 0x5c) {
      this.#at += point > 0xffff ? 2 : 1
      return point
    }
    const letter = this.#source[this.#at + 1] ?? ''
    this.#at += 2
    const digits = hexDigits[letter]
    if (digits === undefined) return escapes[letter] ?? letter.codePointAt(0) ?? 0x5c
    const hex = this.#source.slice(this.#at, this.#at + digits)
    if (!/^[0-9a-fA-F]+$/.test(hex) || hex.length < digits) throw this.#problem('an escape is incomplete')
    this.#at += digits
    return Number.parseInt(hex, 16)
  }

  #name(): string {
    const name = /^[\w-]+/.exec(this.#source.slice(this.#at, this.#at + 200))?.[0]
    if (!name) throw this.#problem('a name was expected')
    this.#at += name.length
    return name
  }

  #named(name: string): number {
    const known = this.#names.get(name)
    if (known !== undefined) return known
    const rule = this.#add([])
    this.#names.set(name, rule)
    return rule
  }

  #add(alternatives: Element[][]): number {
    if (this.#rules.length >= maxRules) throw this.#problem('it is too large')
    return this.#rules.push(alternatives) - 1
  }

  #here(): string {
    return this.#source[this.#at] ?? ''
  }

  #expect(text: string): void {
    if (!this.#source.startsWith(text, this.#at)) throw this.#problem(`"${text}" was expected`)
    this.#at += text.length
  }

  #skipSpace(isNewlineSpace: boolean): void {
    const pattern = isNewlineSpace ? /(?:[ \t\r\n]|#[^\r\n]*)*/y : /(?:[ \t]|#[^\r\n]*)*/y
    pattern.lastIndex = this.#at
    this.#at += pattern.exec(this.#source)?.[0].length ?? 0
  }

  #problem(what: string): Error {
    return new Error(`The grammar cannot be read at character ${this.#at}: ${what}.`)
  }
}

const hexDigits: Record<string, number> = { x: 2, u: 4, U: 8 }
const escapes: Record<string, number> = { n: 0x0a, r: 0x0d, t: 0x09 }
