namespace Merge.Compute.Cpu;

/// <summary>
/// The vectors along an axis: element e of a slab lies at position e / Stride mod Length of its fiber. A slab holds
/// whole fibers; what is one number a fiber is kept compactly, a number for every (outer, inner) place.
/// </summary>
internal readonly unsafe record struct Fibers(int Length, int Stride)
{
    /// <summary>Elements in a group of fibers that lie within each other.</summary>
    public int Group => Length * Stride;

    /// <summary>How many fibers a slab holds.</summary>
    public int CountIn(int slab) => slab / Length;

    /// <summary>Writes each fiber's number at its elements [offset, offset + count) of the slab.</summary>
    public void Repeat(float* numbers, int offset, int count, float* target)
    {
        while (count > 0)
        {
            var (number, run) = RunAt(offset, count);
            if (Stride == 1)
                new Span<float>(target, run).Fill(numbers[number]);
            else
                new ReadOnlySpan<float>(numbers + number, run).CopyTo(new(target, run));
            target += run;
            offset += run;
            count -= run;
        }
    }

    /// <summary>
    /// The fiber of element <paramref name="offset"/> and how many elements from there on lie in the same fiber
    /// (stride 1) or in consecutive ones.
    /// </summary>
    public (int Number, int Run) RunAt(int offset, int count)
    {
        if (Stride == 1)
            return (offset / Length, Math.Min(Length - (offset % Length), count));
        var inner = offset % Stride;
        return ((offset / Group * Stride) + inner, Math.Min(Stride - inner, count));
    }
}
