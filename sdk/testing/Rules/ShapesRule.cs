namespace Merge.Testing.Rules;

internal sealed class ShapesRule : IStrategyRule
{
    private static readonly Dictionary<string, long[]> _shapes = new()
    {
        ["empty"] = [0],
        ["empty.rows"] = [0, 3],
        ["layers.0.weight"] = [2, 3],
        ["one"] = [1],
        ["one.by.one"] = [1, 1],
        ["one.column"] = [4, 1],
        ["one.row"] = [1, 4],
        ["two.by.two.kernels"] = [3, 2, 2, 2],
        ["zero.dim"] = [],
    };

    public ConformanceRule Rule => ConformanceRule.Shapes;

    public string LookAt => "Shape[0] or Shape[1] of tensors that have fewer axes (ask Info.Rank), counts that round down to 0, "
        + "variances over one element";

    public IEnumerable<ConformanceFinding> Check(Subject subject)
    {
        var findings = new List<ConformanceFinding>();
        foreach (var (name, shape) in _shapes)
        {
            // An empty model is none: the empty ones come beside another.
            var shapes = new Dictionary<string, long[]> { [name] = shape, ["layers.0.weight"] = [2, 3] };
            if (Fault(subject, name, shapes) is { } found)
                findings.Add(found);
        }
        return findings;
    }

    private ConformanceFinding? Fault(Subject subject, string name, Dictionary<string, long[]> shapes)
    {
        var when = $"shape [{string.Join(", ", shapes[name])}]: ";
        try
        {
            var merged = subject.Merge(subject.Models(shapes))[name];
            return Array.FindIndex(merged, v => !float.IsFinite(v)) is >= 0 and var e
                ? new(Rule, $"{when}element {e} is {merged[e]}, from finite inputs", LookAt)
                : null;
        }
        catch (Exception e)
        {
            return subject.Fault(Rule, e, when) ?? new(Rule, $"{when}the merge is refused: {e.Message}", LookAt);
        }
    }
}
