import type { Risk } from '../types'

export const RiskMark = ({ risk }: { risk: Risk }) => <span class={`mark risk-${risk}`}>{risk} risk</span>
