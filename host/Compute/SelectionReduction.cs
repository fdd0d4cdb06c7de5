using Merge.Sdk;

namespace Merge.Compute;

/// <summary>One tensor's share in a selection.</summary>
internal sealed class SelectionReduction(ScoreSelection selection, int member, Node score) : Reduction
{
    public ScoreSelection Selection => selection;

    public bool Wanted => selection.Wants(member);

    /// <summary>Runs that a sample takes of its tensor.</summary>
    public long SampleRuns => selection.SampleRunsOf(member);

    public override IReadOnlyList<Node> Operands => [score];

    public override bool IsForDevices => true;

    public override long Bytes => selection.Bytes;

    public override long HeldBytes => selection.HeldBytes;

    public override long BytesPerSegment => selection.BytesPerSegment;

    public override (long Start, long End) Needs(long start, long end) => selection.Needs(member, start, end);

    public override IReductionPart Begin(long start, long end) => selection.Begin(member, start, end);

    public override void Finish(IReadOnlyList<IReductionPart> parts)
    {
        // Parts hand over what they found at their segment's end.
    }
}
