using Merge.Reports;
using Merge.Sdk;
using Merge.Trust;

namespace Host.Tests.Reports;

/// <summary>Reports of made-up searches, from nothing at all to far too much.</summary>
internal static class SampleReports
{
    public const string Hostile = "</script><script>alert('owned')</script><img src=http://example.com/x onerror=alert(1)> & \"quoted\"";

    public static ReportData Bare { get; } = new()
    {
        Title = "bare.yaml",
        Recipe = "",
        Searcher = "lcsc",
        Objective = "maximize accuracy",
        ScoreName = "accuracy",
    };

    /// <summary>Checkpoints of one run combined by LCSC; everything there is to know.</summary>
    public static ReportData Full(
        int models = 12, int trials = 400, int failed = 9, Func<int, string>? name = null, bool groups = false)
    {
        var random = new SearchRandom(7);
        name ??= i => $"run/checkpoint-{212 * (i + 1)}";
        string[] names = [.. Enumerable.Range(0, models).Select(name)];
        SearchDimension[] dimensions =
        [
            .. from i in Enumerable.Range(0, models)
               from g in groups ? new string?[] { "layers 0-3", "layers 4-7", "layers 8-11" } : [null]
               select new SearchDimension($"coefficient[{i}]{(g is null ? "" : "/" + g)}", "coefficient", -0.5, 1) { Model = i, Group = g },
        ];
        var tries = Enumerable.Range(0, trials).Select(i => Trial(i, trials, failed, dimensions, random)).ToArray();
        var best = tries.Where(t => t.Objective is not null).MaxBy(t => t.Objective);
        var ingredients = names.Select((n, i) => Score(n, 0.93 + (0.02 * i / models) + (0.008 * random.Normal()), random)).ToArray();
        return new()
        {
            Title = "digits-lcsc.yaml",
            Recipe = "merge_method: lcsc\nmodels: run/checkpoint-*\nsearch:\n  searcher: lcsc\n  trials: 400\n",
            Searcher = "lcsc",
            Seed = 3,
            Objective = "maximize accuracy",
            ScoreName = "accuracy",
            ReportSplit = "report",
            Facts = [("plugin", "lcsc 1.0 (sha256 0123456789abcdef)"), ("evaluator", "digits"), ("tool", "Merge 0.1.0")],
            Models = names,
            Dimensions = dimensions,
            Trials = tries,
            Best = best?.Index,
            Ingredients = ingredients,
            Baselines = [new("uniform average", 0.9632, 0.9611), new("EMA (β = 0.8)", 0.9655, 0.9622)],
            Result = best is null ? null : new("LCSC combination", best.Objective, 0.9688),
            Rescored =
            [
                .. tries.Where(t => t.Objective is not null).OrderByDescending(t => t.Objective).Take(20)
                    .Select(t => new RescoredTrial(t.Index, t.Objective!.Value, t.Objective - 0.006 + (0.002 * random.Normal()))),
            ],
            Comparisons =
            [
                new("the best merge", "the best single model", "accuracy", "report", new(899, 0.0134, 0.0045, 0.0234, 0.998, 0.95)),
                new("the best merge", "the uniform average", "accuracy", "report", new(899, 0.0056, -0.0011, 0.0122, 0.93, 0.95)),
                new("the best merge", "an earlier soup", "accuracy", "report", new(899, -0.0112, -0.0201, -0.0022, 0.006, 0.95)),
            ],
            Noise = new(5, 0.96, 0.021, 0.0018),
            Gram = new(names, Walk(models, random), false),
            RebuildCommand = "merge run digits-lcsc.best.yaml --out best-model",
        };
    }

    public static CurvatureReportData Curvature { get; } = new(
        "Edits kept of experts.yaml",
        [("recipe", "experts.yaml"), ("density asked for", "0.2")],
        [new("org/math", 2.6e-19f), new("an-expert-with-a-name-that-is-longer-than-charts-have-room-for", 1.1e-18f), new("org/code", 0)],
        [
            .. from layer in Enumerable.Range(0, 12)
               from part in new[] { "self_attn.q_proj", "self_attn.v_proj", "mlp.up_proj", "mlp.down_proj" }
               select new TensorDensity(
                   $"model.layers.{layer}.{part}.weight", $"model.layers.{layer}", part, 8000,
                   [1000 + (80L * layer) + (10 * part.Length), 2000 - (150L * layer), 100 * part.Length]),
            new("lm_head.weight", null, "lm_head.weight", 50_000, [4000, 0, 50_000]),
        ]);

    private static ReportTrial Trial(int i, int trials, int failed, SearchDimension[] dimensions, SearchRandom random)
    {
        double[] point = [.. dimensions.Select((d, k) => (1.0 / dimensions.Length) + (0.15 * random.Normal() * (1 - (0.7 * i / trials))) + (k == dimensions.Length - 1 ? 0.25 : 0))];
        if (i % Math.Max(trials / Math.Max(failed, 1), 1) == 0 && i / Math.Max(trials / Math.Max(failed, 1), 1) < failed)
        {
            var status = (ReportStatus)(1 + (i % 3));
            return new(i, i / 32, point, status, null, 12) { Error = i % 2 == 0 ? "the evaluator ended with exit code 137: Killed" : null };
        }
        var accuracy = 0.972 - (0.05 * Math.Exp(-6.0 * i / trials)) - (0.004 * Math.Abs(random.Normal())) - (i % 50 == 7 ? 0.3 : 0);
        return new(i, i / 32, point, ReportStatus.Ok, accuracy, 1.2 + random.Uniform())
        {
            Metrics = new Dictionary<string, double> { ["loss"] = 4 * (1 - accuracy), ["latency_ms"] = 12 + random.Uniform() },
        };
    }

    private static ModelScore Score(string name, double score, SearchRandom random) =>
        new(name, score, score - 0.002 + (0.003 * random.Normal()));

    // Checkpoints of a run: a walk that slows down, in more dimensions than two.
    private static Matrix Walk(int models, SearchRandom random)
    {
        var places = new double[models, 6];
        for (var i = 1; i < models; i++)
        {
            for (var k = 0; k < 6; k++)
                places[i, k] = places[i - 1, k] + (((k == 0 ? 1 : 0.1) + (0.5 * random.Normal())) / Math.Sqrt(i));
        }
        var gram = new Matrix(models, models);
        for (var i = 0; i < models; i++)
        {
            for (var j = 0; j < models; j++)
                gram[i, j] = Enumerable.Range(0, 6).Sum(k => places[i, k] * places[j, k]);
        }
        return gram;
    }
}
