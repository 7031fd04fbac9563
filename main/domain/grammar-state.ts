// Where a text stands in its grammar, and how it can be ended soonest. A state is a set of stacks, each beginning with the characters
// that may come next; stacks are shared between states and remember their successors, so that following a text costs a look-up a
// character. Left recursion is not followed (llama.cpp refuses it).

import type { CharSet, Element, Grammar } from './gbnf.ts'

/** What is still to come: an element and what follows it. */
interface Stack {
  id: number
  element: Element
  rest: Stack | null
  after: GrammarState | null
}

export interface GrammarState {
  /** What may come next, each beginning with characters. */
  readonly stacks: readonly Stack[]
  /** The text may end here. */
  readonly canEnd: boolean
}

/** A grammar that ends a text as soon as the one it comes from allows it. */
export interface ClosingGrammar {
  source: string
  /** Bytes, and so tokens, it needs at most. */
  maxBytes: number
}

export class GrammarTracker {
  readonly #grammar: Grammar
  readonly #shortest: number[]
  readonly #stacks = new Map<string, Stack>()
  readonly #tight = new Map<number, Element[][]>()
  readonly #closings = new Map<GrammarState, ClosingGrammar>()

  constructor(grammar: Grammar) {
    this.#grammar = grammar
    this.#shortest = shortestTexts(grammar)
  }

  /** The state of an empty text. */
  start(): GrammarState {
    return this.#expand(this.#push({ kind: 'rule', rule: this.#grammar.root }, null))
  }

  /** The state after more text; null when the grammar does not admit it. */
  advance(state: GrammarState, text: string): GrammarState | null {
    for (const char of text) {
      const point = char.codePointAt(0) ?? 0
      const next: GrammarState[] = []
      for (const stack of state.stacks)
        if (stack.element.kind === 'chars' && admits(stack.element, point)) next.push(this.#after(stack))
      if (next.length === 0) return null
      state = next.length === 1 ? next[0]! : merge(next)
    }
    return state
  }

  /**
   * The grammar of the shortest endings: no repetition goes on, nothing optional begins, and real choices (YES or NO) stay open. Of a
   * state that can end, the ending is empty.
   */
  closing(state: GrammarState): ClosingGrammar {
    const known = this.#closings.get(state)
    if (known) return known
    const made = this.#close(state)
    if (this.#closings.size > 1000) this.#closings.clear()
    this.#closings.set(state, made)
    return made
  }

  #close(state: GrammarState): ClosingGrammar {
    if (state.canEnd) return { source: 'root ::= ""', maxBytes: 0 }
    const endings = state.stacks.map((stack) => {
      const elements: Element[] = []
      for (let at: Stack | null = stack; at; at = at.rest) if (!this.#isOptional(at.element)) elements.push(at.element)
      return elements
    })
    const used = new Set<number>()
    const root = endings.map((elements) => this.#write(elements, used)).join(' | ')
    const rules: string[] = []
    // A set visits what is added to it meanwhile.
    for (const rule of used)
      rules.push(
        `${nameOf(rule)} ::= ${this.#tightened(rule)
          .map((elements) => this.#write(elements, used))
          .join(' | ')}`,
      )
    const maxBytes = Math.max(...endings.map((elements) => this.#mostBytes(elements)))
    return { source: [`root ::= ${root}`, ...rules].join('\n'), maxBytes }
  }

  #after(stack: Stack): GrammarState {
    stack.after ??= this.#expand(stack.rest)
    return stack.after
  }

  /** The stacks of characters that a stack beginning with anything stands for. */
  #expand(stack: Stack | null): GrammarState {
    const found = new Set<Stack>()
    const seen = new Set<Stack>()
    let canEnd = false
    const open = [stack]
    while (open.length > 0) {
      const top = open.pop()
      if (!top) canEnd = true
      else if (top.element.kind === 'chars') found.add(top)
      else if (!seen.has(top)) {
        seen.add(top)
        for (const elements of this.#grammar.rules[top.element.rule] ?? [])
          open.push(elements.reduceRight<Stack | null>((rest, element) => this.#push(element, rest), top.rest))
      }
    }
    return { stacks: [...found], canEnd }
  }

  #push(element: Element, rest: Stack | null): Stack {
    const key = `${keyOf(element)} ${rest?.id ?? 0}`
    const known = this.#stacks.get(key)
    if (known) return known
    const stack = { id: this.#stacks.size + 1, element, rest, after: null }
    this.#stacks.set(key, stack)
    return stack
  }

  #isOptional(element: Element): boolean {
    return element.kind === 'rule' && this.#shortest[element.rule] === 0
  }

  /** A rule's alternatives without what is optional and without those that lead back to the rule itself. */
  #tightened(rule: number): Element[][] {
    const known = this.#tight.get(rule)
    if (known) return known
    const bare = this.#bare(rule)
    const onward = bare.filter((elements) => !this.#leadsTo(elements, rule, new Set()))
    const lengths = bare.map((elements) => this.#lengthOf(elements))
    const tight = onward.length > 0 ? onward : bare.filter((_, at) => lengths[at] === Math.min(...lengths))
    this.#tight.set(rule, tight)
    return tight
  }

  #bare(rule: number): Element[][] {
    const alternatives = this.#grammar.rules[rule] ?? []
    return alternatives.map((elements) => elements.filter((element) => !this.#isOptional(element)))
  }

  #leadsTo(elements: readonly Element[], rule: number, seen: Set<number>): boolean {
    return elements.some((element) => {
      if (element.kind === 'chars') return false
      if (element.rule === rule) return true
      if (seen.has(element.rule)) return false
      seen.add(element.rule)
      return this.#bare(element.rule).some((inner) => this.#leadsTo(inner, rule, seen))
    })
  }

  #lengthOf(elements: readonly Element[]): number {
    return elements.reduce((sum, one) => sum + (one.kind === 'chars' ? 1 : (this.#shortest[one.rule] ?? 0)), 0)
  }

  #mostBytes(elements: readonly Element[]): number {
    return elements.reduce((sum, element) => {
      if (element.kind === 'chars') return sum + bytesOf(element)
      return sum + Math.max(0, ...this.#tightened(element.rule).map((inner) => this.#mostBytes(inner)))
    }, 0)
  }

  #write(elements: readonly Element[], used: Set<number>): string {
    if (elements.length === 0) return '""'
    return elements
      .map((element) => {
        if (element.kind === 'chars') return writeChars(element)
        used.add(element.rule)
        return nameOf(element.rule)
      })
      .join(' ')
  }
}

/** Least characters of each rule's texts. */
function shortestTexts({ rules }: Grammar): number[] {
  const shortest = rules.map(() => Number.POSITIVE_INFINITY)
  for (let isChanged = true; isChanged; ) {
    isChanged = false
    for (const [rule, alternatives] of rules.entries()) {
      const lengths = alternatives.map((elements) =>
        elements.reduce((sum, one) => sum + (one.kind === 'chars' ? 1 : (shortest[one.rule] ?? 0)), 0),
      )
      const least = Math.min(Number.POSITIVE_INFINITY, ...lengths)
      if (least >= (shortest[rule] ?? 0)) continue
      shortest[rule] = least
      isChanged = true
    }
  }
  return shortest
}

function merge(states: readonly GrammarState[]): GrammarState {
  return {
    stacks: [...new Set(states.flatMap((state) => state.stacks))],
    canEnd: states.some((state) => state.canEnd),
  }
}

function admits({ isNegated, ranges }: CharSet, point: number): boolean {
  return ranges.some(([from, to]) => point >= from && point <= to) !== isNegated
}

function bytesOf({ isNegated, ranges }: CharSet): number {
  return isNegated || ranges.some(([, to]) => to > 0x7f) ? 4 : 1
}

function keyOf(element: Element): string {
  return element.kind === 'rule' ? `r${element.rule}` : writeChars(element)
}

function writeChars({ isNegated, ranges }: CharSet): string {
  if (ranges.length === 0) return '.'
  return `[${isNegated ? '^' : ''}${ranges.map(([from, to]) => `${writePoint(from)}-${writePoint(to)}`).join('')}]`
}

function writePoint(point: number): string {
  return `\\U${point.toString(16).padStart(8, '0')}`
}

/** llama.cpp allows letters, digits and dashes. */
function nameOf(rule: number): string {
  return `r${rule}`
}
