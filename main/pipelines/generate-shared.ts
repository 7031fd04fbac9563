// Answers that many slots of a run build on (a chunk's summary, its entities): asked for once, whoever comes first. Their seeds are named
// by what they are about, so a run continued after a crash asks again and gets the same.

import type { SlotTalk, Speaker, StageAnswer, StageQuestion } from './generate-speaker.ts'

export class SharedAnswers {
  readonly #answers = new Map<string, Promise<StageAnswer | null>>()

  /** The answer to a question named by `question.shared`; for all but the first who asks it costs nothing. */
  async ask(
    speaker: Speaker,
    talk: SlotTalk,
    question: StageQuestion & { shared: string },
  ): Promise<StageAnswer | null> {
    const key = `${talk.leaf} ${question.stage} ${question.shared}`
    const known = this.#answers.get(key)
    if (known) return reused(await known)
    const asked = speaker.ask(talk, question)
    this.#answers.set(key, asked)
    // An answer that failed must not be remembered: the next slot asks again.
    asked.then((answer) => answer ?? this.#answers.delete(key)).catch(() => this.#answers.delete(key))
    return asked
  }
}

function reused(answer: StageAnswer | null): StageAnswer | null {
  return answer && { ...answer, outcome: { ...answer.outcome, promptTokens: 0, outputTokens: 0, durationMs: 0 } }
}
